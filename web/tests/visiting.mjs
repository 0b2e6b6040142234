import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { asPerson, DESK, PHONE, until } from "./browser.mjs";

const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

export const modelsAndAbout = (base, { model }) =>
  asPerson(base, async (person) => {
    await person.open("/models");
    await person.page.getByRole("heading", { name: /^Model card/ }).waitFor();
    await person.page.locator(".version", { hasText: model }).getByText("tags here").waitFor();
    assert.ok((await person.page.locator(".prose table tbody tr").count()) > 0, "the card's table is a table");
    const list = await person.json("/v1/models");
    assert.equal(await person.page.locator(".version").count(), list.models.length);
    await person.page.locator("summary", { hasText: "Vocabulary" }).click();
    const whole = await person.json("/v1/models/current");
    await person.page.getByText(`#${whole.vocabulary[0]} `).waitFor();
    await person.page.getByRole("link", { name: "About" }).click();
    await person.page.getByRole("heading", { name: "Data policy" }).waitFor();
    await person.page.getByRole("heading", { name: /^Model card/ }).waitFor();
    await person.page.getByText("Apache License 2.0").waitFor();
    for (const path of ["/licenses.md", "/openapi.json", "/icon.svg", "/reeltag.webmanifest", "/theme.js"]) {
      assert.equal((await person.api(path)).status, 200, path);
    }
  });

export const registryModels = (base, { versions }) =>
  asPerson(base, async (person) => {
    await person.open("/models");
    await until("all versions", async () => (await person.page.locator(".version").count()) >= versions.length);
    for (const version of versions) {
      await person.page.locator(".version", { hasText: version.name }).click();
      await person.page.getByRole("heading", { name: version.name }).waitFor();
      for (const alias of version.aliases) await person.page.locator(".model .mark", { hasText: alias }).waitFor();
      await person.page.getByText("Published").waitFor();
      for (const word of version.words) await person.page.locator(".model", { hasText: word }).waitFor();
      assert.equal(
        await person.page
          .locator(".prose img, .prose script, .prose a[href^=javascript], .prose a[href^=data]")
          .count(),
        0,
      );
      assert.equal(await person.page.title(), "Models \u00b7 reeltag");
    }
  });

export const token = (base, { text, name }) =>
  asPerson(base, async (person) => {
    person.expectErrors(/401/);
    await person.open("/library");
    await person.page.getByText("This server asks for a token").waitFor();
    await person.page.getByLabel("Token").fill("reeltag_wrong");
    await person.button("Sign in").click();
    await person.page.locator(".field-error", { hasText: "token" }).waitFor();
    await person.page.getByLabel("Token").fill(text);
    await person.page.getByLabel("Token").press("Enter");
    await person.page.getByRole("heading", { name: "Library" }).waitFor();
    const session = await person.json("/v1/session");
    assert.deepEqual([session.kind, session.name], ["token", name]);
    assert.equal(await person.page.evaluate(() => document.cookie), "", "scripts cannot read it");
    await person.page.reload();
    await person.page.getByRole("heading", { name: "Library" }).waitFor();
    await person.button("Sign out").click();
    await person.page.getByText("This server asks for a token").waitFor();
  });

export const theme = (base) =>
  asPerson(
    base,
    async (person) => {
      await person.open("/");
      const back = () => person.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const dark = await back();
      await person.button("Theme: as the system. Switch to light").click();
      const light = await back();
      assert.notEqual(light, dark);
      await person.page.reload();
      await person.page.locator("main h1").waitFor();
      assert.equal(await back(), light, "it is remembered");
      await person.button("Theme: light. Switch to dark").click();
      await person.button("Theme: dark. Switch to the system's").click();
      assert.equal(await back(), dark);
    },
    { colorScheme: "dark" },
  );

export const keyboard = (base) =>
  asPerson(base, async (person) => {
    await person.open("/");
    await person.page.keyboard.press("Tab");
    assert.equal(await person.page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    const outlines = new Map();
    for (let i = 0; i < 12; i += 1) {
      await person.page.keyboard.press("Tab");
      const [name, outline, shown] = await person.page.evaluate(() => {
        const one = document.activeElement;
        const box = one.getBoundingClientRect();
        return [
          one.getAttribute("aria-label") ?? one.textContent.trim(),
          getComputedStyle(one).outlineStyle,
          box.width > 8 && box.height > 8,
        ];
      });
      if (name !== "reeltag" || !outlines.has(name)) outlines.set(name, outline === "solid" && shown);
    }
    for (const name of ["Library", "Choose files", "Link to a video", "Fetch"])
      assert.equal(outlines.get(name), true, `${name}: ${[...outlines]}`);
    await person.page.getByRole("link", { name: "Models" }).focus();
    await person.page.keyboard.press("Enter");
    await until("the new view's heading has the focus", () =>
      person.page.evaluate(
        () => document.activeElement.textContent === "Models" && document.title.startsWith("Models"),
      ),
    );
    // A dialog keeps the focus, and gives it back.
    await person.button("Sign in").focus();
    await person.page.keyboard.press("Enter");
    await person.page.getByRole("dialog").waitFor();
    for (let i = 0; i < 6; i += 1) {
      await person.page.keyboard.press("Tab");
      assert.ok(
        await person.page.evaluate(
          () => document.activeElement === document.body || document.activeElement.closest("dialog") !== null,
        ),
      );
    }
    await person.page.keyboard.press("Escape");
    await until("the focus is back", () =>
      person.page.evaluate(() => document.activeElement.textContent.trim() === "Sign in"),
    );
  });

// What axe has against the page as it stands.
async function violations(person, where) {
  // Evaluated, not added as an element: the page's policy allows no script of others.
  if (!(await person.page.evaluate(() => "axe" in globalThis))) await person.page.evaluate(AXE);
  const found = await person.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map(
    (one) => `${where}: ${one.id}: ${one.nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`,
  );
}

// Content that moves after it was shown, as the browser counts it; below 0.1 is "good".
const SHIFTS = () => {
  globalThis.shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifts += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
};

// A view as it is loaded: nothing jumps, nothing is wider than the screen.
async function settled(person, where, path) {
  await person.open(path);
  await until(`${where} is loaded`, async () => (await person.page.locator(".skeleton").count()) === 0);
  await person.page.waitForTimeout(250);
  const [shift, wide] = await person.page.evaluate(() => [
    globalThis.shifts,
    document.documentElement.scrollWidth - innerWidth,
  ]);
  return [
    ...(shift >= 0.1 ? [`${where} moves by ${shift}`] : []),
    ...(wide > 0 ? [`${where} is ${wide} pixels too wide`] : []),
  ];
}

// The view with all that it can show.
async function unfold(person, name) {
  if (name === "home") await person.page.locator("[aria-expanded=false]").first().click();
  if (name === "home" || name === "video") await person.page.getByLabel("How sure?").press("Home");
  if (name === "video")
    await person.page
      .getByRole("button", { name: /^Reject / })
      .first()
      .click();
  if (name === "about") await person.button("Sign in").click();
  await person.page.waitForTimeout(300);
}

// Every view, in both sizes and both themes.
export const everyView = (base, { clip, shots }) =>
  asPerson(base, async (person) => {
    await person.context.addInitScript(SHIFTS);
    await person.open("/");
    await person.choose(clip.path);
    await person.done(clip.name);
    const [{ video }] = (await person.json("/v1/jobs")).jobs;
    const { tags } = await person.json(`/v1/videos/${video}/tags?threshold=0&top=200`);
    const views = {
      home: "/",
      library: "/library",
      search: `/library?q=${encodeURIComponent(`#${tags[0].hashtag}`)}`,
      nothing: "/library?q=zzzz",
      video: `/videos/${video}`,
      models: "/models",
      about: "/about",
      missing: `/videos/${"0".repeat(64)}`,
    };
    person.expectErrors(/404/);
    const wrong = [];
    for (const [size, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
      await person.page.setViewportSize(viewport);
      for (const [name, path] of Object.entries(views)) {
        wrong.push(...(await settled(person, `${name} ${size}`, path)));
        await unfold(person, name);
        for (const colorScheme of ["light", "dark"]) {
          await person.page.emulateMedia({ colorScheme });
          await person.page.waitForTimeout(200); // colours that fade
          wrong.push(...(await violations(person, `${name} ${size} ${colorScheme}`)));
          if (shots) await person.page.screenshot({ path: `${shots}/${name}-${size}-${colorScheme}.png` });
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

export const gate = (base) =>
  asPerson(base, async (person) => {
    for (const viewport of [PHONE, DESK]) {
      for (const colorScheme of ["light", "dark"]) {
        await person.page.setViewportSize(viewport);
        await person.page.emulateMedia({ colorScheme });
        await person.open("/");
        await person.page.getByText("This server asks for a token").waitFor();
        assert.deepEqual(await violations(person, `gate ${viewport.width} ${colorScheme}`), []);
      }
    }
  });
