import assert from "node:assert/strict";
import { asPerson, PHONE, until } from "./browser.mjs";

const chips = (person) => person.page.locator(".panel .chip:not(.chip-rejected)");
const names = async (person) =>
  (await chips(person).locator(".chip-tag").allTextContents()).map((text) => text.slice(1));
const feedback = async (person, video) =>
  Object.fromEntries(
    (await person.json(`/v1/videos/${video}/feedback`)).feedback.map((said) => [said.hashtag, said.verdict]),
  );

// Brings a clip by the API as this person and opens its page.
async function bring(person, clip, query = "") {
  await person.open("/");
  const { readFileSync } = await import("node:fs");
  const answer = await person.api(`/v1/videos${query}`, "post", {
    headers: {
      Origin: new URL(person.base).origin,
      "Content-Type": "video/mp4",
      "Content-Disposition": `attachment; filename="${clip.name}"`,
    },
    data: readFileSync(clip.path),
  });
  assert.equal(answer.status, 202);
  const { job } = await answer.json();
  let video;
  await until("the clip is tagged", async () => {
    const now = await person.json(`/v1/jobs/${job}`);
    assert.notEqual(now.state, "failed", JSON.stringify(now.error));
    video = now.video;
    return now.state === "done";
  });
  await person.open(`/videos/${video}`);
  await chips(person).first().waitFor();
  return video;
}

export const slider = (base, { clip }) =>
  asPerson(base, async (person) => {
    const video = await bring(person, clip);
    const { tags } = await person.json(`/v1/videos/${video}/tags?threshold=0&top=200`);
    const control = person.page.getByLabel("How sure?");
    const middle = await names(person);
    await control.focus();
    await control.press("Home");
    await until("all are shown", async () => (await names(person)).length === tags.length);
    assert.deepEqual(
      await names(person),
      tags.map((tag) => tag.hashtag),
      "by falling score",
    );
    await person.page.getByText(`${tags.length} of ${tags.length}`).waitFor();
    await control.press("End");
    await until("fewer are shown", async () => (await names(person)).length < Math.max(1, middle.length));
    await person.button("The model's choice").click();
    await until("those of the beginning", async () => (await names(person)).join() === middle.join());
  });

export const moments = (base, { clip }) =>
  asPerson(base, async (person) => {
    const video = await bring(person, clip);
    const { tags } = await person.json(`/v1/videos/${video}/tags?threshold=0&top=200`);
    await person.page.getByLabel("How sure?").press("Home");
    const show = person.page.getByRole("button", { name: /^Show \d+ more$/ });
    if (await show.count()) await show.click();
    const all = tags.flatMap((tag) => tag.segments);
    await until("every moment has a button", async () => (await person.page.locator(".moment").count()) === all.length);
    // The one that begins last: a jump there cannot be mistaken for the beginning.
    await person.page.setViewportSize(PHONE); // where the film is a screen above
    const last = tags
      .flatMap((tag) => tag.segments.map((segment) => ({ tag, segment })))
      .sort((a, b) => b.segment[0] - a.segment[0])[0];
    assert.ok(last.segment[0] > 0.2, "some moment begins later than the video");
    const from = last.segment[0].toFixed(1).padStart(4, "0");
    const button = person.page
      .getByRole("button", { name: new RegExp(`^#${last.tag.hashtag} from 0:${from}`) })
      .first();
    await button.focus();
    await button.press("Enter");
    const time = () => person.page.locator(".player video").evaluate((film) => film.currentTime);
    await until("it is there", async () => (await time()) >= last.segment[0] - 0.05);
    const box = await person.page.locator(".player video").boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= 844, `the film is seen: ${JSON.stringify(box)}`);
    await until("it plays", () => person.page.locator(".player video").evaluate((film) => film.played.length > 0));
  });

export const feedbackAndCopy = (base, { clip }) =>
  asPerson(
    base,
    async (person) => {
      const video = await bring(person, clip);
      await person.page.getByLabel("How sure?").press("Home");
      const [first, second, third] = await names(person);
      await person.button(`Accept #${first}`).click();
      await person.says("accepted");
      await person.button(`Reject #${second}`).click();
      await person.says(`#${second} rejected`);
      await person.page.getByLabel("Add a hashtag").fill("# My Own");
      await person.button("Add").click();
      await person.says("#MyOwn added");
      assert.deepEqual(await feedback(person, video), { [first]: "accept", [second]: "reject", MyOwn: "add" });
      // Undo, of the newest word and by the chip's own button.
      await person.button(`Reject #${third}`).click();
      await person.says(`#${third} rejected`);
      await person.button("Undo").click();
      await person.says("Undone");
      assert.equal((await feedback(person, video))[third], undefined);
      await person.button("The model's choice").click();
      await person.button("Copy all").click();
      await person.says("copied");
      const copied = await person.page.evaluate(() => navigator.clipboard.readText());
      assert.deepEqual(
        copied.split(" "),
        (await names(person)).map((name) => `#${name}`),
      );
      assert.ok(
        copied.includes(`#${first}`) && copied.endsWith("#MyOwn") && !copied.split(" ").includes(`#${second}`),
        copied,
      );
      await person.page.reload();
      await chips(person).first().waitFor();
      assert.equal(await person.button(`Accept #${first}`).getAttribute("aria-pressed"), "true");
      await person.button(`Take the rejection of #${second} back`).click();
      await until("the rejection is taken back", async () => (await feedback(person, video))[second] === undefined);
      await person.button("Take #MyOwn back").click();
      await until("the addition is taken back", async () => (await feedback(person, video)).MyOwn === undefined);
    },
    { permissions: ["clipboard-read", "clipboard-write"] },
  );

export const unsure = (base, { clip }) =>
  asPerson(base, async (person) => {
    await bring(person, clip);
    await person.page.getByText("Not sure. Closest are:").waitFor();
    assert.equal((await names(person)).length, 3);
  });

export const partial = (base, { clip }) =>
  asPerson(base, async (person) => {
    await bring(person, clip, "?deadline=0.1");
    await person.page.getByText("Looked at in a hurry").waitFor();
  });

export const videoPage = (base, { clip }) =>
  asPerson(base, async (person) => {
    const video = await bring(person, clip);
    const known = await person.json(`/v1/videos/${video}`);
    const facts = await person.page.locator(".facts").textContent();
    for (const fact of [`${known.width} \u00d7 ${known.height}`, "upload", video.slice(0, 12)])
      assert.ok(facts.includes(fact), `${fact} in ${facts}`);
    await person.button("Delete").click();
    await person.page.getByRole("dialog").waitFor();
    await person.page.keyboard.press("Escape");
    await until("the dialog is closed", async () => (await person.page.getByRole("dialog").count()) === 0);
    assert.equal((await person.api(`/v1/videos/${video}`)).status, 200);
    await person.button("Delete").click();
    await person.button("Delete it").click();
    await person.says("The video is deleted");
    assert.equal(new URL(person.page.url()).pathname, "/library");
    assert.equal((await person.api(`/v1/videos/${video}`)).status, 404);
    person.expectErrors(/404/);
    await person.open(`/videos/${video}`);
    await person.page.getByText("There is nothing here").waitFor();
  });

export const library = (base, { count, hashtag, tagged, word }) =>
  asPerson(base, async (person) => {
    await person.open("/library");
    await person.page.locator(".card").first().waitFor();
    assert.equal(await person.page.locator(".card").count(), 24);
    while (await person.button("Show more").count()) {
      const before = await person.page.locator(".card").count();
      await person.button("Show more").click();
      await until(
        "more are shown",
        async () =>
          (await person.page.locator(".card").count()) > before || !(await person.button("Show more").count()),
      );
    }
    const ids = await person.page
      .locator(".card-link")
      .evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    assert.equal(new Set(ids).size, count);
    assert.equal(ids.length, count);
    await person.button("Mine").click();
    await person.page.getByText("No video has this").waitFor();
    await person.button("Library").click();
    await person.page.locator(".card").first().waitFor();
    await person.page.getByLabel("Only with this hashtag").fill(`#${hashtag}`);
    await person.page.getByLabel("Only with this hashtag").press("Enter");
    await until("only those", async () => (await person.page.locator(".card").count()) === tagged);
    assert.equal(new URL(person.page.url()).search, `?of=library&hashtag=${hashtag}`);
    await person.page.goBack();
    await until("all again", async () => (await person.page.locator(".card").count()) === 24);
    await person.page.getByRole("textbox", { name: /^Search/ }).fill(word);
    await person.button("Search").click();
    await person.page.locator('.why[data-why="caption"]').first().waitFor();
    await person.page.getByRole("textbox", { name: /^Search/ }).fill(`#${hashtag}`);
    await person.button("Search").click();
    await person.page.locator('.why[data-why="typed"]').first().waitFor();
    await person.page.getByRole("textbox", { name: /^Search/ }).fill("zzzz");
    await person.button("Search").click();
    await person.page.getByText("Nothing found").waitFor();
  });

// A search finds what the model saw, says when, and opens the video there.
export const searchOpensTheMoment = (base, { clip }) =>
  asPerson(base, async (person) => {
    const video = await bring(person, clip);
    const [sure] = (await person.json(`/v1/videos/${video}`)).tags;
    await person.open(`/library?q=${encodeURIComponent(`#${sure.hashtag}`)}`);
    const hit = person.page.locator(".hit").filter({ has: person.page.locator(`a[href^="/videos/${video}"]`) });
    await hit.locator('.why[data-why="predicted"]').waitFor();
    const moment = hit.locator(".moment-link").last();
    const seconds = Number(new URL(await moment.getAttribute("href"), base).searchParams.get("t"));
    await moment.click();
    await person.page.locator(".player video").waitFor();
    const film = person.page.locator(".player video");
    await until("it is at the moment", () =>
      film.evaluate((one, at) => one.readyState > 0 && one.currentTime >= at - 0.05, seconds),
    );
  });

// What the browser cannot play is shown in pictures; what is a picture moves as one.
export const unplayable = (base, { clips, gif }) =>
  asPerson(base, async (person) => {
    await person.open("/");
    await person.choose(...clips.map((clip) => clip.path), gif.path);
    for (const clip of [...clips, gif]) await person.done(clip.name);
    const { jobs } = await person.json("/v1/jobs");
    const seen = (image) => image.evaluate((one) => one.complete && one.naturalWidth > 0);
    for (const clip of clips) {
      const { video } = jobs.find((job) => job.name === clip.name);
      await person.open(`/videos/${video}`);
      const note = person.page.locator(".still-note");
      await note.waitFor();
      assert.match(await note.textContent(), /cannot play.*Download it/);
      await person.page.locator(".panel .chip, .panel .muted").first().waitFor();
      const still = person.page.locator(".player > .still");
      await until("the picture is there", () => seen(still));
      const strip = person.page.locator(".still-strip button");
      assert.equal(await strip.count(), 8);
      const before = await still.getAttribute("src");
      await strip.nth(6).focus();
      await strip.nth(6).press("Enter");
      await until("another picture", async () => (await still.getAttribute("src")) !== before && seen(still));
      assert.equal(await strip.nth(6).getAttribute("aria-pressed"), "true");
    }
    const { video } = jobs.find((job) => job.name === gif.name);
    await person.open(`/videos/${video}`);
    await person.page.locator(".player img.still").waitFor();
    await until("the picture is there", () => seen(person.page.locator(".player img.still")));
    assert.equal(await person.page.locator(".still-note").count(), 0);
  });

// The whole page below a path of a proxy: upload, result, library, a deep link, and back.
export const belowAPath = (base, { clip }) =>
  asPerson(base, async (person) => {
    await person.open("/");
    await person.choose(clip.path);
    await person.done(clip.name);
    const video = await bring(person, clip);
    await person.page.getByRole("link", { name: "Library" }).first().click();
    await until("the address is below the path", () => person.page.url().startsWith(`${base}/library`));
    const card = person.page.locator(`a[href="${new URL(base).pathname}/videos/${video}"]`).first();
    await card.click();
    await person.page.locator(".panel .chip").first().waitFor();
    await person.page.reload();
    await person.page.locator(".panel .chip").first().waitFor();
    const film = person.page.locator(".player video");
    await until("it plays", () => film.evaluate((one) => one.readyState > 0));
    for (const place of ["/about", "/models", "/"]) await person.open(place);
    const api = person.page.locator('a[href$="openapi.json"]');
    await person.open("/about");
    assert.equal(new URL(await api.first().evaluate((link) => link.href)).href, `${base}/openapi.json`);
  });
