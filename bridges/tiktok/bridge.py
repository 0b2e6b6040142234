#!/usr/bin/env python3
"""Runs TikTokApi as a child of `reeltag collect`: JSON Lines on stdin and stdout, one answer per request.

  {"ask":"open","browser":"/usr/bin/chromium","proxy":"","ca_file":"","wait":20}   the start page in a browser
      -> {"headers":{...},"sandbox":true}                     those of the session's own requests; Chromium's sandbox is on
  {"ask":"challenge","name":"cats"}                           one request: the site's data of a hashtag
      -> {"answer":{...}}
  {"ask":"page","challenge":"42","cursor":"0","count":30}     one request: items after a cursor
      -> {"answer":{...},"cookies":[{"name","value","domain"}]}
  errors -> {"error":KIND,"message":"...","body":"..."}
      empty: an empty answer; not_json: invalid JSON, in body; page: an unexpected start page, in body; no_request: the
      page made no request of its own; no_token: it set no msToken; browser: the browser has ended.

It only answers requests: it repeats none, requests no further page by itself, and returns items as the site gives
them. The library is unmodified. An msToken may be given as REELTAG_TIKTOK_MS_TOKEN.
"""
import asyncio
import base64
import ctypes
import hashlib
import json
import os
import ssl
import sys
import time

from playwright.async_api import Error as PlaywrightError
from TikTokApi import TikTokApi

OUT = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")  # captions may contain half a surrogate pair
os.dup2(2, 1)  # keeps output of libraries out of the answers

API = "https://www.tiktok.com/api/challenge"
SITE = "https://www.tiktok.com"
MOST_BODY = 256 << 10  # maximum characters of a page passed on
SILENT = 100           # above all logging levels: keeps answers and personal names out of logs
# Disables all requests of the browser that the page does not need.
ARGUMENTS = ["--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
CLONE_NEWUSER = 0x10000000
NOT_ROOT = 1000  # a user number inside the namespace


class SiteError(Exception):
    def __init__(self, kind, message, body=""):
        super().__init__(message)
        self.kind, self.message, self.body = kind, message, body


class Api(TikTokApi):
    """Keeps the text of the last answer: the library discards those it cannot parse."""

    text = None  # no answer yet

    async def run_fetch_script(self, url, headers, **options):
        self.text = await super().run_fetch_script(url, headers, **options)
        return self.text


def key_of(certificate):
    """The SHA-256 of a certificate's public key, in Chromium's format for trusted certificates."""
    def element(data, at):  # start and end of the content of a DER element
        length, at = data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(data[at:at + count], "big"), at + count
        return at, at + length
    der = ssl.PEM_cert_to_DER_cert(certificate)
    at, _ = element(der, element(der, 0)[0])  # into Certificate, into TBSCertificate
    skip = 6 if der[at] == 0xA0 else 5  # version?, serial, algorithm, issuer, validity, subject
    for _ in range(skip):
        at = element(der, at)[1]
    return base64.b64encode(hashlib.sha256(der[at:element(der, at)[1]]).digest()).decode()


def keys_in(file):
    with open(file, encoding="ascii", errors="replace") as opened:
        parts = opened.read().split("-----BEGIN CERTIFICATE-----")[1:]
    end = "-----END CERTIFICATE-----"
    return [key_of(f"-----BEGIN CERTIFICATE-----{part.partition(end)[0]}{end}\n") for part in parts]


def leave_root():
    """Moves this process, and so the browser, into a user namespace where it is not root: Chromium's sandbox refuses root.

    Call it before any thread starts. Where the kernel forbids user namespaces all stays as it is.
    """
    user, group = os.geteuid(), os.getegid()
    if user != 0 or ctypes.CDLL(None).unshare(CLONE_NEWUSER) != 0:
        return
    for name, text in (("setgroups", "deny"), ("uid_map", f"{NOT_ROOT} {user} 1"), ("gid_map", f"{NOT_ROOT} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


class Session:
    def __init__(self):
        self.api = Api(logging_level=SILENT)
        self.sandbox = True

    async def open(self, request):
        arguments, token = list(ARGUMENTS), os.environ.get("REELTAG_TIKTOK_MS_TOKEN")
        if request["ca_file"]:
            arguments.append(f"--ignore-certificate-errors-spki-list={','.join(keys_in(request['ca_file']))}")
        end = time.monotonic() + request["wait"]
        await self.api.create_sessions(
            num_sessions=1, ms_tokens=[token] if token else None, timeout=int(1000 * request["wait"]),
            browser_context_factory=lambda playwright: self.browse(playwright, request, arguments))
        session = self.api.sessions[0]
        # Checks for the script first, as without it the library would load other pages.
        while not await session.page.evaluate("() => window.byted_acrawler !== undefined"):
            if session.headers is None or time.monotonic() > end:
                raise SiteError("page", "the start page has not the site's script", await session.page.content())
            await asyncio.sleep(0.2)
        if session.headers is None:
            raise SiteError("no_request", "the start page made no request of its own in time", await session.page.content())
        while not session.ms_token:
            session.ms_token = (await self.api.get_session_cookies(session)).get("msToken")
            if not session.ms_token and time.monotonic() > end:
                raise SiteError("no_token", "the site set no msToken", await session.page.content())
            await asyncio.sleep(0.2)
        return {"headers": session.headers, "sandbox": self.sandbox}

    async def browse(self, playwright, request, arguments):
        """A browser in Chromium's own sandbox; without it only where it does not start with it."""
        options = {"headless": False, "args": arguments, "executable_path": request["browser"],
                   "proxy": {"server": request["proxy"]} if request["proxy"] else None}
        try:
            browser = await playwright.chromium.launch(chromium_sandbox=True, **options)
        except PlaywrightError:
            self.sandbox = False
            browser = await playwright.chromium.launch(chromium_sandbox=False, **options)
        return await browser.new_context()

    async def challenge(self, request):
        return {"answer": await self.ask(f"{API}/detail/", {"challengeName": request["name"]})}

    async def page(self, request):
        answer = await self.ask(f"{API}/item_list/", {"challengeID": request["challenge"], "count": request["count"],
                                                      "cursor": request["cursor"]})
        cookies = await self.api.sessions[0].context.cookies()
        return {"answer": answer, "cookies": [{key: one[key] for key in ("name", "value", "domain")} for one in cookies]}

    async def ask(self, url, params):
        if not self.api.sessions:
            raise SiteError("browser", "there is no session any more")
        self.api.text = None
        try:
            return await self.api.make_request(url=url, params=params, retries=1, session_index=0)
        except Exception as error:
            # Classifies by the text, not the exception: the library fails to raise its own InvalidJSONException.
            if self.api.text is None:
                raise
            if self.api.text == "":
                raise SiteError("empty", "the site answered with nothing, as it does to those it takes for robots") from error
            raise SiteError("not_json", "the site's answer cannot be read", self.api.text) from error


def words(error):
    """The first line of a library's message, without box-drawing characters."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"


async def answer_to(session, request):
    try:
        return await {"open": session.open, "challenge": session.challenge, "page": session.page}[request["ask"]](request)
    except SiteError as error:
        return {"error": error.kind, "message": error.message, "body": error.body[:MOST_BODY]}
    except PlaywrightError as error:
        return {"error": "browser", "message": words(error)}
    except Exception as error:  # the library raises plain Exception; all become answers
        return {"error": "library", "message": words(error)}


async def main():
    session, loop = Session(), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        answer = await answer_to(session, json.loads(line))
        print(json.dumps(answer, ensure_ascii=False), file=OUT, flush=True)
    await session.api.close_sessions()


if __name__ == "__main__":
    leave_root()
    asyncio.run(main())
