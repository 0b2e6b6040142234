// Before the first paint, so that a remembered theme does not flash; a file because inline scripts are forbidden.
try {
  var theme = localStorage.getItem("reeltag.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (_) { /* storage is off: the system's theme */ }
