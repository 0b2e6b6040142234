"""The stand-in for www.tiktok.com itself: what it answers, by plain requests through its proxy."""
import contextlib
import json
import pathlib
import re
import ssl
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

import support

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "replica"))
from tiktok import sign  # noqa: E402
from tiktok_site import Site  # noqa: E402

WWW = "https://www.tiktok.com"
REHYDRATION = re.compile(r'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">(.*?)</script>')


class Visitor:
    """Asks as the page's script does."""

    def __init__(self, proxy, certificate):
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": proxy, "http": proxy}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(certificate))))
        self.token = ""

    def get(self, url, **headers):
        try:
            answer = self.opener.open(urllib.request.Request(url, headers=headers), timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with contextlib.closing(answer):
            return answer.status, dict(answer.headers), answer.read()

    def start(self):
        with self.opener.open(f"{WWW}/", timeout=20) as answer:
            for cookie in answer.headers.get_all("Set-Cookie"):
                if found := re.match(r"msToken=([^;]+)", cookie):
                    self.token = found[1]
            return answer.read()

    def ask(self, path):
        url = f"{WWW}{path}&msToken={self.token}"
        return self.get(f"{url}&X-Bogus={sign(url)}")[2]

    def page(self, name, cursor=0, count=5):
        challenge = json.loads(self.ask(f"/api/challenge/detail/?challengeName={name}"))["challengeInfo"]["challenge"]
        return json.loads(self.ask(f"/api/challenge/item_list/?challengeID={challenge['id']}&count={count}&cursor={cursor}"))

    def bytes_of(self, item, **headers):
        return self.get(item["video"]["playAddr"], Referer=f"{WWW}/", Cookie="tt_chain_token=x", **headers)


class TikTokSite(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clips = cls.folder / "clips"
        support.make_clips(cls.clips, set="look", classes=2, clips_per_class=8, seconds=0.4, size="64x64")

    def site(self, *faults):
        site = self.enterContext(Site(self.clips, faults))
        visitor = Visitor(site.proxy, site.certificate)
        visitor.start()
        return site, visitor

    def test_pages_of_a_hashtag_follow_each_other(self):
        site, visitor = self.site()
        tag = site.posts[0].hashtags[0]
        first = visitor.page(tag)
        second = visitor.page(tag, first["cursor"])
        self.assertEqual((first["hasMore"], len(first["itemList"]), second["hasMore"]), (True, 5, False))
        ids = [item["id"] for item in first["itemList"] + second["itemList"]]
        self.assertEqual(ids, [str(post.id) for post in site.posts if post.has(tag)])

    def test_a_robot_gets_nothing(self):
        site, visitor = self.site()
        path = "/api/challenge/item_list/?challengeID=1&count=5&cursor=0"
        self.assertEqual(visitor.get(f"{WWW}{path}&msToken={visitor.token}")[2], b"")
        self.assertEqual(visitor.get(f"{WWW}{path}&msToken={visitor.token}&X-Bogus=DFS1")[2], b"")
        visitor.token = "None"
        self.assertEqual(visitor.ask(path), b"")

    def test_bytes_are_for_visitors_of_the_site_while_the_link_is_good(self):
        site, visitor = self.site()
        item = visitor.page(site.posts[0].hashtags[0])["itemList"][0]
        body = site.posts[0].path.read_bytes()
        self.assertEqual(visitor.bytes_of(item)[2], body)
        status, headers, rest = visitor.bytes_of(item, Range="bytes=100-")
        self.assertEqual((status, headers["Content-Range"], rest), (206, f"bytes 100-{len(body) - 1}/{len(body)}", body[100:]))
        self.assertEqual(visitor.get(item["video"]["playAddr"])[0], 403)
        self.assertEqual(visitor.get(item["video"]["playAddr"].replace("signature=", "signature=0"), Referer=f"{WWW}/",
                                     Cookie="tt_chain_token=x")[0], 403)
        site, visitor = self.site("link-life:0")
        self.assertEqual(visitor.bytes_of(visitor.page(site.posts[0].hashtags[0])["itemList"][0])[0], 403)

    def test_the_page_of_a_video(self):
        site, visitor = self.site("private:2", "deleted:3", "page-challenge:4")
        details = []
        for post in site.posts[:3]:
            text = visitor.get(f"{WWW}/@{post.author}/video/{post.id}")[2].decode()
            details.append(json.loads(REHYDRATION.search(text)[1])["__DEFAULT_SCOPE__"]["webapp.video-detail"])
        self.assertEqual([detail["statusCode"] for detail in details], [0, 10216, 10204])
        self.assertEqual(details[0]["itemInfo"]["itemStruct"]["desc"], site.posts[0].caption)
        self.assertIn(b"_wafchallengeid", visitor.get(f"{WWW}/@a/video/{site.posts[3].id}")[2])

    def test_other_hosts_are_refused(self):
        site, visitor = self.site()
        with self.assertRaises(OSError):
            visitor.get("https://example.org/")
        with self.assertRaises(OSError):
            visitor.get("https://nottiktok.com/")
        self.assertEqual(site.tunnel.refused, ["example.org:443", "nottiktok.com:443"])

    def test_faults_of_pages(self):
        site, visitor = self.site("empty:1", "overlap:3", "hollow:4")
        tag = site.posts[0].hashtags[0]
        empty = visitor.page(tag)
        self.assertEqual((empty["itemList"], empty["hasMore"], empty["cursor"]), ([], True, "0"))
        first, second = visitor.page(tag, 0, 4), visitor.page(tag, 4, 4)
        self.assertEqual([one["id"] for one in second["itemList"]][:3], [one["id"] for one in first["itemList"]][1:])
        self.assertEqual(visitor.page(tag)["itemList"], visitor.page(tag)["itemList"])
        with self.assertRaisesRegex(ValueError, "no fault 'nonsense'"):
            Site(self.clips, ["nonsense"])

    def test_it_is_a_program_too(self):
        program = pathlib.Path(__file__).resolve().parents[1] / "replica" / "tiktok_site.py"
        process = subprocess.Popen([sys.executable, str(program), "--clips", str(self.clips), "--fault", "waf:1"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.terminate)
        place = json.loads(process.stdout.readline())
        self.assertIn(b"_wafchallengeid", Visitor(place["proxy"], place["certificate"]).start())


if __name__ == "__main__":
    unittest.main()
