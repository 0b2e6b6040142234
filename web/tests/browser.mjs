// A browser as a person has it, and what every scenario checks besides its own: no error on the console (so no breach
// of the content security policy), no request to anywhere else.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { chromium } from "playwright-core";

export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1280, height: 800 };
const PROGRAM = process.env.REELTAG_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

export class Person {
  constructor(browser, context, page, base) {
    Object.assign(this, { browser, context, page, base, errors: [], expected: [], strangers: [], missing: [] });
    page.on("console", (message) => message.type() === "error" && this.errors.push(message.text()));
    page.on("response", (answer) => answer.status() === 404 && this.missing.push(answer.url()));
    page.on("pageerror", (error) => this.errors.push(String(error)));
    context.on("request", (request) => {
      if (!request.url().startsWith(base) && !/^(blob|data):/.test(request.url())) this.strangers.push(request.url());
    });
  }

  // Errors that the scenario itself brings about, as a connection that it breaks.
  expectErrors(...patterns) {
    this.expected.push(...patterns);
  }

  async open(path) {
    await this.page.goto(this.base + path);
    await this.page.locator("main h1").waitFor();
  }

  // Asks the API as this person.
  async api(path, method = "get", options = {}) {
    const answer = await this.context.request[method](this.base + path, { headers: { Origin: new URL(this.base).origin }, ...options });
    return { status: answer.status(), json: async () => JSON.parse(await answer.text()) };
  }

  async json(path) {
    const answer = await this.api(path);
    assert.equal(answer.status, 200, path);
    return answer.json();
  }

  async choose(...files) {
    await this.page.locator("input[type=file][multiple]").setInputFiles(files);
  }

  // As a hand does: the files come in by a drag over the page and a drop.
  async drop(...files) {
    const carried = files.map((file) => ({ name: basename(file), data: readFileSync(file).toString("base64") }));
    const transfer = await this.page.evaluateHandle((list) => {
      const data = new DataTransfer();
      for (const one of list) {
        const bytes = Uint8Array.from(atob(one.data), (c) => c.charCodeAt(0));
        data.items.add(new File([bytes], one.name, { type: one.name.endsWith(".mp4") ? "video/mp4" : "text/plain" }));
      }
      return data;
    }, carried);
    const target = this.page.locator("h1");
    for (const event of ["dragenter", "dragover", "drop"])
      await target.dispatchEvent(event, { dataTransfer: transfer });
  }

  row(name) {
    return this.page.locator(".row").filter({ has: this.page.locator(".row-name", { hasText: name }) });
  }

  async done(name, timeout = 60_000) {
    await this.page.locator('.row[data-phase="done"]').filter({ hasText: name }).first().waitFor({ timeout });
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  async says(text) {
    await this.page.locator(".notice", { hasText: text }).waitFor();
  }

  // Bytes a second that leave this browser; 0: as fast as it goes.
  async network(upload) {
    this.line ??= await this.context.newCDPSession(this.page);
    await this.line.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: upload || -1,
    });
  }

  close() {
    const wrong = this.errors.filter((error) => !this.expected.some((pattern) => pattern.test(error)));
    assert.deepEqual(wrong, [], `errors on the console; not found: ${this.missing}`);
    assert.deepEqual(this.strangers, [], "requests to other places");
  }
}

// A new visitor on a fresh profile; the scenario gets it and what Python knows (files, tokens).
export async function asPerson(base, act, options = {}) {
  const browser = await chromium.launch({ executablePath: PROGRAM, headless: true, args: FLAGS });
  try {
    const context = await browser.newContext({ viewport: DESK, ...options });
    context.setDefaultTimeout(20_000);
    const person = new Person(browser, context, await context.newPage(), base);
    await act(person);
    person.close();
  } finally {
    await browser.close();
  }
}

export async function until(what, condition, timeout = 20_000) {
  const end = Date.now() + timeout;
  for (;;) {
    if (await condition()) return;
    assert.ok(Date.now() < end, `not within ${timeout} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
