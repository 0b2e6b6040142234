import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { asPerson, PHONE, until } from "./browser.mjs";

// Drops a clip, and within ten seconds reads what the server says of it.
export const dropped = (base, { clip, seconds }) =>
  asPerson(base, async (person) => {
    await person.open("/");
    const begin = Date.now();
    await person.drop(clip.path);
    await person.page
      .locator(".panel .chip")
      .first()
      .waitFor({ timeout: seconds * 1000 });
    console.log(JSON.stringify({ seconds: (Date.now() - begin) / 1000 }));
    const [job] = (await person.json("/v1/jobs")).jobs;
    assert.equal(job.name, clip.name);
    const told = await person.json(`/v1/videos/${job.video}/tags?threshold=0&top=200`);
    const sure = told.tags.filter((tag) => tag.score >= tag.threshold);
    const shown = await person.page.locator(".panel .chip-tag").allTextContents();
    assert.deepEqual(
      shown,
      (sure.length > 0 ? sure : told.tags.slice(0, 3)).map((tag) => `#${tag.hashtag}`),
    );
    await person.page.locator(".player video").waitFor();
    assert.equal(await person.page.getByText("Not sure. Closest are:").count(), sure.length > 0 ? 0 : 1);
  });

export const severalAtOnce = (base, { clips, text }) =>
  asPerson(base, async (person) => {
    await person.open("/");
    await person.choose(...clips.map((clip) => clip.path));
    assert.equal(await person.page.locator(".row").count(), clips.length);
    for (const clip of clips) await person.done(clip.name);
    // One opens by itself, the others when they are asked for.
    assert.equal(await person.page.locator(".row-result").count(), 1);
    const closed = person.row(clips.at(-1).name);
    assert.equal(await closed.locator(".row-result").count(), 0);
    await closed.locator("[aria-expanded=false]").click();
    await closed.locator(".panel .chip").first().waitFor();
    assert.equal(await person.page.locator(".row-result").count(), 1);
    await person.drop(text);
    await person.says("is no video");
    assert.equal(await person.page.locator(".row").count(), clips.length);
  });

export const brokenFile = (base, { broken, large }) =>
  asPerson(base, async (person) => {
    await person.open("/");
    await person.choose(broken);
    const row = person.page.locator('.row[data-phase="failed"]');
    await row.waitFor();
    assert.ok((await row.locator(".row-status").textContent()).length > 10);
    assert.equal(await row.getByRole("button", { name: /^Try / }).count(), 1);
    await row.getByRole("button", { name: /off the list$/ }).click();
    await until("the line is gone", async () => (await person.page.locator(".row").count()) === 0);
    await until("the job is gone", async () => (await person.json("/v1/jobs")).jobs.length === 0);
    await person.choose(large);
    await person.page.getByText("The file is larger than").waitFor();
  });

export const link = (base, { url, name, missing }) =>
  asPerson(base, async (person) => {
    await person.open("/");
    const field = person.page.getByLabel("Link to a video");
    await field.fill("example");
    await person.button("Fetch").click();
    await person.page.getByText("That is no link").waitFor();
    await field.fill(url);
    await field.press("Enter");
    await person.done(name);
    // Pasted anywhere, as text.
    await person.page.evaluate((text) => {
      const data = new DataTransfer();
      data.setData("text", text);
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
    }, missing);
    const failed = person.page.locator('.row[data-phase="failed"]');
    await failed.waitFor();
    assert.match(await failed.locator(".row-status").textContent(), /no file at this address/);
  });

export const camera = (base) =>
  asPerson(
    base,
    async (person) => {
      await person.open("/");
      await person.button("Record").waitFor();
      assert.equal(await person.page.locator("input[capture=environment][accept='video/*']").count(), 1);
    },
    { viewport: PHONE, isMobile: true, hasTouch: true },
  );

// Offsets from which bytes were sent: above 0 where an upload went on.
function offsets(person) {
  const list = [];
  person.page.on("request", (request) => {
    if (request.method() === "PATCH") list.push(Number(request.headers()["upload-offset"]));
  });
  return list;
}

const SLOW = 400_000;
const progress = async (row) => Number(await row.getByRole("progressbar").getAttribute("value"));

// The server by way of a line that can be cut, and mended.
async function line(base) {
  const { port } = new URL(base);
  const sockets = new Set();
  let whole = true;
  const server = createServer((client) => {
    if (!whole) return client.destroy();
    const onward = connect(Number(port), "127.0.0.1");
    for (const socket of [client, onward]) {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => (client.destroy(), onward.destroy()));
    }
    client.pipe(onward).pipe(client);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const cut = () => {
    whole = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut,
    mend: () => (whole = true),
    close: () => (cut(), server.close()),
  };
}

export async function lostConnection(base, { big }) {
  const cable = await line(base);
  await asPerson(cable.url, async (person) => {
    person.expectErrors(/net::ERR_/);
    await person.open("/");
    const sent = offsets(person);
    await person.network(SLOW);
    await person.choose(big.path);
    const row = person.row(big.name);
    await row.getByText("/s").waitFor(); // its speed
    await row.getByText(" left").waitFor();
    await until("a third is sent", async () => (await progress(row)) > 0.2);
    cable.cut();
    await row.getByText("Connection lost, trying again").waitFor();
    await person.page.waitForTimeout(1500);
    await person.network(0);
    cable.mend();
    await person.done(big.name);
    assert.ok(sent.length >= 2 && sent.at(-1) > 0, `it went on where it had stopped: ${sent}`);
  });
  cable.close();
}

export const pauseAndCancel = (base, { big, second }) =>
  asPerson(base, async (person) => {
    person.expectErrors(/ERR_ABORTED/);
    await person.open("/");
    const sent = offsets(person);
    const uploads = [];
    person.page.on(
      "response",
      (answer) => answer.request().method() === "POST" && uploads.push(answer.headers().location),
    );
    await person.network(SLOW);
    await person.choose(big.path);
    const row = person.row(big.name);
    await until("some is sent", async () => (await progress(row)) > 0.1);
    await person.button(`Pause ${big.name}`).click();
    await row.locator(".row-status", { hasText: "Paused" }).waitFor();
    const before = await progress(row);
    await person.page.waitForTimeout(1000);
    assert.equal(await progress(row), before);
    await person.button(`Resume ${big.name}`).click();
    await until("more is sent", async () => (await progress(row)) > before);
    assert.ok(sent.at(-1) > 0, `it went on: ${sent}`);
    await person.choose(second.path);
    await until("the second is sent", async () => (await progress(person.row(second.name))) > 0.02);
    await person.button(`Cancel ${second.name}`).click();
    await until("its line is gone", async () => (await person.row(second.name).count()) === 0);
    const head = { headers: { "Tus-Resumable": "1.0.0", Origin: base } };
    await until("its bytes are gone", async () =>
      [404, 410].includes((await person.api(uploads.at(-1), "head", head)).status),
    );
    await person.network(0);
    await person.done(big.name);
    assert.equal((await person.json("/v1/jobs")).jobs.length, 1);
  });

export const reload = (base, { big, clip }) =>
  asPerson(base, async (person) => {
    await person.open("/");
    await person.choose(clip.path);
    await person.done(clip.name);
    await person.network(SLOW);
    await person.choose(big.path);
    await until("some is sent", async () => (await progress(person.row(big.name))) > 0.15);
    await person.page.reload();
    await person.done(clip.name); // listed again
    await person.page.getByText(`Choose ${big.name} again`).waitFor();
    const sent = offsets(person);
    await person.network(0);
    await person.choose(big.path);
    await person.row(big.name).getByText("of this file is there already").waitFor();
    await person.button("Go on").click();
    await person.done(big.name);
    assert.ok(sent[0] > 0, `it went on: ${sent}`);
    assert.equal(await person.page.getByText("Unfinished uploads").count(), 0);
    // What is done is done also for the next visit.
    await person.page.reload();
    await person.done(big.name);
    await person.done(clip.name);
    assert.equal(await person.page.getByText("Unfinished uploads").count(), 0);
  });
