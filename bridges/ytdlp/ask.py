"""Lists the videos at an address with yt-dlp and prints JSON Lines. Stores nothing and fetches no video.

One job, a JSON object, comes on stdin (docs/adr/0036-ytdlp.md):
  {"list": ADDRESS, "from": 1, "count": 100}   entries of a profile, a playlist, a page; or a single video
  {"items": [ADDRESS, ...]}                    all metadata of each video
with "interval" (seconds between two requests), "deadline" (seconds for each item), "memory" (bytes), "proxy",
"timeout", "height", "allow", "allow_private" and "parent" (requesting process).

Lines on stdout, each flushed at once:
  {"ready": VERSION}
  {"asks": ADDRESS}                            just before a request
  {"entry": {"url","id","site","info"?}}       of a list, in its order
  {"listed": N}                                end of the list, N entries
  {"item": INDEX, "info": {...}}               or {"item": INDEX, "error": {...}}
  {"error": {"kind","message","status"}}       of the job as a whole

yt-dlp itself is unmodified, with three features disabled: it answers no challenge page, impersonates no other client
in headers, and sends no forged address. It connects to public addresses only and runs no program.
"""
import contextlib
import ctypes
import ipaddress
import itertools
import json
import os
import resource
import signal
import sys
import time
import traceback
import urllib.parse

OUT = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # keeps output of libraries out of the lines

KEPT = ("id", "extractor", "description", "title", "uploader", "uploader_id", "channel_id", "tags", "timestamp",
        "upload_date", "duration", "track", "view_count", "like_count", "repost_count", "comment_count", "save_count",
        "webpage_url")
HTTP_TOO_MANY = 429
PR_SET_PDEATHSIG = 1


class Late(Exception):
    """An item exceeded its deadline."""


class Refused(OSError):
    """A request or action that is not allowed."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def say(**line):
    OUT.write(json.dumps(line, ensure_ascii=True) + "\n")
    OUT.flush()


def die_with(parent):
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent and os.getppid() != parent:
        sys.exit("the one who asked is gone")


# Checks addresses below the library, at the connection: this covers redirects and names that resolve elsewhere.
def guard(job):
    allowed = [ipaddress.ip_network(text, strict=False) for text in job.get("allow", [])]
    proxy = urllib.parse.urlsplit(job.get("proxy") or "")
    through = (proxy.hostname, proxy.port)

    def may_reach(address):
        if not isinstance(address, tuple) or job.get("allow_private"):
            return True
        ip = ipaddress.ip_address(address[0].partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return (tuple(address[:2]) == through or (ip.is_global and not ip.is_multicast)
                or any(ip in network for network in allowed))

    def hook(event, details):
        if event == "socket.connect" and not may_reach(details[1]):
            raise Refused("refused", f"{details[1][0]} is not a public address; if it is meant, allow it: http.allow")
        if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.fork"):
            raise Refused("refused", "yt-dlp wants to run another program, which it may not here")
    sys.addaudithook(hook)


def asker(job):
    from yt_dlp import YoutubeDL, globals as settings
    from yt_dlp.extractor import common, tiktok
    from yt_dlp.utils import ExtractorError

    class Challenge(ExtractorError):
        pass

    def no_answer(self, webpage):
        if "Please wait..." in webpage or 'id="cs"' in webpage or "captcha" in webpage.lower():
            raise Challenge("a challenge page came")
        raise ExtractorError("Unexpected response from webpage request")

    for owner, habit, instead in ((tiktok.TikTokBaseIE, "_solve_challenge_and_set_cookies", no_answer),
                                  (common.InfoExtractor, "_generate_blockbuster_headers",
                                   staticmethod(lambda **_: {}))):
        if not hasattr(owner, habit):
            raise Refused("setup", f"this yt-dlp has no {habit}: what it does in its place is not known here")
        setattr(owner, habit, instead)
    settings.plugin_dirs.value = []

    class PacedDownloader(YoutubeDL):
        last = None

        def urlopen(self, request):
            if PacedDownloader.last is not None:
                left, _ = signal.setitimer(signal.ITIMER_REAL, 0)  # waiting does not count towards the item's deadline
                time.sleep(max(0.0, PacedDownloader.last + job.get("interval", 0.0) - time.monotonic()))
                signal.setitimer(signal.ITIMER_REAL, left)
            say(asks=request if isinstance(request, str) else request.url)
            PacedDownloader.last = time.monotonic()
            return super().urlopen(request)

    # Uses the system's certificates, or those of SSL_CERT_FILE, even if certifi is installed.
    return PacedDownloader({
        "compat_opts": {"no-certifi"},
        "quiet": True, "no_warnings": True, "noprogress": True, "simulate": True, "cachedir": False, "color": "never",
        "extract_flat": "in_playlist", "playlist_items": "1", "noplaylist": False, "ignore_no_formats_error": True,
        "format": "best/bestvideo", "check_formats": False, "geo_bypass": False, "extractor_retries": 0,
        "socket_timeout": job.get("timeout", 30.0), "proxy": job.get("proxy", ""), "enable_file_urls": False})


def causes(problem):
    """An error and its causes, which yt-dlp keeps in attributes of its own."""
    seen = []
    while isinstance(problem, BaseException) and problem not in seen:
        seen.append(problem)
        yield problem
        inner = (getattr(problem, "exc_info", None) or (None, None))[1]
        ways = (getattr(problem, "cause", None), inner, problem.__cause__, problem.__context__)
        problem = next((one for one in ways if one is not None and one not in seen), None)


# Maps an error to the kinds that reeltag uses.
def error_of(problem):
    from yt_dlp.networking.exceptions import HTTPError
    from yt_dlp.utils import GeoRestrictedError, UnsupportedError

    status, kind, message = 0, "other", str(problem)
    for one in causes(problem):
        if isinstance(one, HTTPError):
            status = one.status
        elif isinstance(one, Refused):
            kind, message = one.kind, str(one)
        elif isinstance(one, Late):
            kind, message = "late", "had not answered in time"
        elif isinstance(one, MemoryError):
            kind, message = "memory", "needs more memory than collect.ytdlp.memory grants"
        elif isinstance(one, UnsupportedError):
            kind = "unsupported"
        elif isinstance(one, GeoRestrictedError):
            kind = "private"
        elif type(one).__name__ == "Challenge":
            kind = "challenge"
    message = message.removeprefix("ERROR: ").partition("; please report")[0]
    return {"kind": kind, "status": status, "message": message[:500]}


def site_of(extractor):
    return extractor.partition(":")[0].lower()


# Uses the address as the id if a site has none.
def identity_of(extractor, identity, url):
    site = site_of(extractor or "generic")
    return {"site": site, "id": url if site == "generic" or not identity else str(identity)}


def entry_of(ydl, entry):
    url = entry.get("url") or entry.get("webpage_url") or ""
    key = entry.get("ie_key") or entry.get("extractor_key")
    finder = ydl._ies.get(key) if key else next((one for one in ydl._ies.values() if one.suitable(url)), None)
    identity = entry.get("id") or (finder and finder.get_temp_id(url))
    return {"url": url, **identity_of(finder.IE_NAME if finder else key, identity, url)}


# The best video format that is one file over HTTP and at most `height` rows high.
def choose(info, height):
    formats = [one for one in info.get("formats") or [] if one.get("url")]
    pictures = [one for one in formats if one.get("vcodec") != "none"]
    playable = [one for one in pictures if "bytevc2" not in (one.get("vcodec") or "")]  # a proprietary H.266
    files = [one for one in playable if one.get("protocol") in ("http", "https")]
    if not files:
        lack = ("no_video", "there is no video in it") if not pictures else (
            ("format", "no format of it can be decoded") if not playable else
            ("format", "it comes in pieces only (HLS, DASH), which are not fetched"))
        raise Refused(*lack)
    small = [one for one in files if (one.get("height") or 0) <= height]
    return small[-1] if small else files[0]


def info_of(ydl, raw, job):
    info = ydl.process_ie_result(raw, download=False)
    if not info:
        raise Refused("other", "yt-dlp found nothing there")
    if info.get("_type", "video") != "video":
        raise Refused("playlist", "is a list of videos; name it in collect.ytdlp.urls by itself")
    if info.get("is_live"):
        raise Refused("no_video", "is live")
    chosen = choose(info, job.get("height", 1080))
    named = {**(info.get("http_headers") or {}), **(chosen.get("http_headers") or {})}
    headers = [f"{name}: {value}" for name, value in named.items()]
    if cookies := ydl.cookiejar.get_cookie_header(chosen["url"]):
        headers.append(f"Cookie: {cookies}")
    kept = {key: info[key] for key in KEPT if info.get(key) is not None}
    extractor = info.get("extractor") or "generic"
    return {**kept, **identity_of(extractor, info.get("id"), info.get("webpage_url") or ""), "url": chosen["url"],
            "headers": headers}


@contextlib.contextmanager
def at_most(seconds):
    def late(*_):
        raise Late
    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def resolve(ydl, url):
    """Resolves an address to a list, whose entries are not requested yet, or a video."""
    for extractor in ydl._ies.values():
        if extractor.suitable(url):
            if not extractor.working():
                raise Refused("broken", f"marks its own reader of such pages ({extractor.IE_NAME}) as broken, so {url} "
                                        "was not asked for. Name lists that it can read: collect.ytdlp.address, or "
                                        "profiles, playlists and videos in collect.ytdlp.urls")
            break
    raw = ydl.extract_info(url, download=False, process=False)
    for _ in range(5):
        if not raw or raw.get("_type") not in ("url", "url_transparent"):
            break
        raw = ydl.extract_info(raw["url"], ie_key=raw.get("ie_key"), download=False, process=False)
    return raw


def list_entries(ydl, job):
    begin, count = job["from"], job["count"]
    raw = resolve(ydl, job["list"])
    if not raw:
        raise Refused("other", "yt-dlp found nothing there")
    if raw.get("_type", "video") == "video":
        found = 0 if begin > 1 else 1
        if found:
            info = info_of(ydl, raw, job)
            say(entry={"url": job["list"], "id": info["id"], "site": info["site"], "info": info})
        return say(listed=found)
    entries = raw.get("entries") or []
    if hasattr(entries, "getslice"):
        part = entries.getslice(begin - 1, begin - 1 + count)
    else:
        part = itertools.islice(entries, begin - 1, begin - 1 + count)
    number = 0
    for entry in part:
        if entry:
            say(entry=entry_of(ydl, entry))
            number += 1
    return say(listed=number)


def ask_items(ydl, job):
    for index, url in enumerate(job["items"]):
        try:
            with at_most(job.get("deadline", 60.0)):
                info = info_of(ydl, ydl.extract_info(url, download=False, process=False), job)
            say(item=index, info=info)
        except Exception as problem:  # an error of one item does not affect the next
            error = error_of(problem)
            say(item=index, error=error)
            if error["kind"] == "challenge" or error["status"] == HTTP_TOO_MANY:
                return  # no further requests now


def main():
    job = json.load(sys.stdin)
    die_with(job.get("parent"))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if job.get("memory"):
        resource.setrlimit(resource.RLIMIT_AS, (job["memory"], job["memory"]))
    try:
        try:
            ydl = asker(job)
        except ImportError as problem:
            raise Refused("setup", f"no yt-dlp for {sys.executable}: {problem}") from problem
        from yt_dlp.version import __version__
        say(ready=__version__)
        guard(job)
        if "list" in job:
            with at_most(job.get("deadline", 60.0)):
                list_entries(ydl, job)
        else:
            ask_items(ydl, job)
    except Refused as refused:
        say(error={"kind": refused.kind, "status": 0, "message": str(refused)})
    except Exception as problem:
        traceback.print_exc()
        say(error=error_of(problem))


if __name__ == "__main__":
    main()
