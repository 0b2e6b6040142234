"""Serves the parts of www.tiktok.com that its web page's script requests: the start page, a hashtag by name, its videos
page by page, the page of one video. Answers are (status, headers, body of bytes).
Source of the formats: TikTokApi 7.3.3, yt-dlp's extractor/tiktok.py, published samples of answers (October 2025)."""
import hashlib
import html
import json
import re
import secrets
import time
import urllib.parse

from faults import CHALLENGE

CDN = "v16-webapp-prime.tiktok.com"
LINK_LIFE = 6 * 3600  # seconds that an address of bytes is valid
JSON = {"Content-Type": "application/json; charset=utf-8"}
PAGE = {"Content-Type": "text/html; charset=utf-8"}
OVERLAP = 3  # items of the previous page that the overlap fault repeats

# The page signs addresses. The signature differs from the real one; each address needs its own, though.
START = """<!DOCTYPE html><html><head><title>Make Your Day</title></head><body><div id="app"></div><script>
window.byted_acrawler = {frontierSign(url) {
  let sum = 0;
  for (const c of url) sum = (sum * 31 + c.charCodeAt(0)) %% 4294967291;
  return {"X-Bogus": "DFS" + sum.toString(16)};
}};
%s
</script></body></html>"""
ASK_LATER = "addEventListener('load', () => setTimeout(() => fetch('%s'), %d));"


def sign(url):
    total = 0
    for char in url:
        total = (total * 31 + ord(char)) % 4294967291
    return f"DFS{total:x}"


def utf16(text):
    return len(text.encode("utf-16-le")) // 2


def text_extra(caption):
    """The hashtags of a caption as the site marks them: offsets in UTF-16 units."""
    for found in re.finditer(r"#(\w+)", caption):
        yield {"hashtagName": found[1].lower(), "hashtagId": str(number_of(found[1])), "type": 1, "subType": 0,
               "start": utf16(caption[:found.start()]), "end": utf16(caption[:found.end()]), "isCommerce": False,
               "awemeId": ""}


def number_of(text):
    return int(hashlib.sha256(text.casefold().encode()).hexdigest()[:13], 16)


class TikTok:
    def __init__(self, posts, faults):
        self.posts, self.faults = posts, faults
        self.tokens = set()
        self.starts = self.queries = 0
        self.names = {str(number_of(tag)): tag for post in posts for tag in post.hashtags}

    # The start page, also for unknown paths.
    def start(self):
        self.starts += 1
        number, faults = self.starts, self.faults
        if faults.since("waf", number):
            return 200, PAGE, CHALLENGE
        late = faults.first("token-late")
        lines = []
        if not faults.at("quiet", number):
            lines.append(ASK_LATER % ("/api/ping/", 900 if faults.at("late-request", number) else 250))
        if late:
            lines.append(ASK_LATER % ("/api/token/", late))
        headers = dict(PAGE)
        if not late and not faults.first("token-missing"):
            headers["Set-Cookie"] = self.token()
        return 200, headers, (START % "\n".join(lines)).encode()

    def token(self):
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        return f"msToken={token}; Domain=.tiktok.com; Path=/; Secure; SameSite=None"

    # The API sends an empty body for requests that its own page would not make.
    def known(self, path, query):
        asked, _, signature = f"https://www.tiktok.com{path}".rpartition("&X-Bogus=")
        return query.get("msToken") in self.tokens and signature == sign(asked)

    def challenge(self, path):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        if not self.known(path, query):
            return 200, JSON, b""
        name = query.get("challengeName", "").casefold()
        known = [tag for tag in self.names.values() if tag.casefold() == name]
        if not known:
            return self.json({"statusCode": 10205, "status_code": 10205, "statusMsg": "no such challenge"})
        count = sum(post.has(name) for post in self.posts)
        stats = {"videoCount": count, "viewCount": 100 * count}
        return self.json({"challengeInfo": {"challenge": {"id": str(number_of(name)), "title": known[0], "desc": ""},
                                            "stats": stats, "statsV2": {key: str(n) for key, n in stats.items()}}})

    def item_list(self, path):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        self.queries += 1
        number, faults = self.queries, self.faults
        if faults.at("hang", number):
            time.sleep(600)
        if faults.at("challenge", number):
            return 200, PAGE, CHALLENGE
        if faults.at("empty-body", number) or not self.known(path, query):
            return 200, JSON, b""
        if faults.at("not-json", number):
            return 200, JSON, b'{"itemList": [{'
        if faults.at("schema", number):
            return self.json({"items": {"list": []}})
        if faults.at("error", number):
            return self.json({"statusCode": 10000, "status_code": 10000, "statusMsg": "internal error"})
        return self.page(self.names.get(query.get("challengeID"), ""), int(query["cursor"]), int(query["count"]), number)

    def page(self, name, begin, count, number):
        found = [post for post in self.posts if post.has(name)]
        end, more = begin + count, True
        if self.faults.since("repeat", number):
            begin, shown = 0, found[:count]
        elif self.faults.at("empty", number):
            end, shown = begin, []
        elif self.faults.since("hollow", number):
            shown = []
        else:
            shown, more = found[begin:end], end < len(found)
            if self.faults.at("overlap", number):
                shown = found[max(begin - OVERLAP, 0):begin] + shown
        return self.json({"itemList": [self.item(post) for post in shown], "hasMore": more, "cursor": str(end),
                          "extra": {"now": int(time.time() * 1000), "logid": "20261126", "fatal_item_ids": []}})

    def json(self, answer):
        return 200, JSON, json.dumps({"statusCode": 0, "status_code": 0, **answer}).encode()

    def video_page(self, identity):
        post = next((post for post in self.posts if str(post.id) == identity), None)
        if post is not None and self.faults.at("page-challenge", post.number):
            return 200, PAGE, CHALLENGE
        if post is not None and self.faults.at("page-gone", post.number):
            return 404, PAGE, b"<!DOCTYPE html><html><body>not found</body></html>"
        if post is not None and self.faults.at("page-hang", post.number):
            time.sleep(600)
        if post is None or self.faults.at("deleted", post.number):
            detail = {"statusCode": 10204, "statusMsg": "item doesn't exist"}
        elif self.faults.at("private", post.number):
            detail = {"statusCode": 10216, "statusMsg": "author_secret"}
        else:
            detail = {"statusCode": 0, "statusMsg": "", "itemInfo": {"itemStruct": self.item(post)}}
        scope = {"__DEFAULT_SCOPE__": {"webapp.app-context": {"language": "en"}, "webapp.video-detail": detail}}
        text = json.dumps(scope).replace("</", "<\\u002F")
        if post is not None and self.faults.at("page-broken", post.number):
            text = text[:len(text) // 2]
        title = html.escape(post.caption if post else "")
        body = (f"<!DOCTYPE html><html><head><title>{title}</title></head><body>"
                f'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">{text}</script></body></html>')
        return 200, PAGE, body.encode()

    def address(self, post):
        life = self.faults.first("link-life")
        end = int(time.time()) + (LINK_LIFE if life is None else life)
        return (f"https://{CDN}/video/{post.id}.mp4?expire={end}&l=20261126&signature={signature(str(post.id), end)}"
                "&tk=tt_chain_token")

    def item(self, post):
        address = self.address(post)
        author = {"id": str(number_of(post.author)), "uniqueId": post.author, "nickname": post.author.title(),
                  "secUid": f"MS4wLjABAAAA{number_of(post.author)}", "verified": False, "privateAccount": False}
        stats = {"playCount": 100 * post.number, "diggCount": 10, "shareCount": 1, "commentCount": 2, "collectCount": 0}
        whole = {
            "id": str(post.id), "desc": post.caption, "createTime": post.created, "textLanguage": "en",
            "contents": [{"desc": post.caption}], "author": author, "authorStats": {"followerCount": 7, "videoCount": 3},
            "challenges": [{"id": str(number_of(tag)), "title": tag, "desc": ""} for tag in post.hashtags],
            "textExtra": list(text_extra(post.caption)), "stats": stats,
            "statsV2": {**{key: str(value) for key, value in stats.items()}, "repostCount": "0"},
            "music": {"id": str(post.id + 7), "title": "original sound", "authorName": post.author, "original": True,
                      "duration": 2, "playUrl": f"https://{CDN}/music/{post.id}.mp3"},
            "privateItem": self.faults.at("private", post.number), "secret": False, "isAd": False,
            "video": {"id": str(post.id), "duration": 2, "width": 64, "height": 64, "ratio": "540p", "format": "mp4",
                      "cover": f"https://{CDN}/cover/{post.id}.jpg", "playAddr": address, "downloadAddr": address,
                      "bitrate": 100000, "bitrateInfo": []}}
        for fault, field in (("no-id", "id"), ("no-author", "author"), ("no-date", "createTime")):
            if self.faults.at(fault, post.number):
                del whole[field]
        if self.faults.at("bare-author", post.number):
            whole["author"] = {"nickname": author["nickname"]}
        if self.faults.at("no-address", post.number):
            del whole["video"]["playAddr"], whole["video"]["downloadAddr"]
        if self.faults.at("unplayable", post.number):
            del whole["video"]["playAddr"], whole["video"]["downloadAddr"]
            whole["video"]["bitrateInfo"] = [{"PlayAddr": {"UrlKey": "v09044_bytevc2_540p_400000", "DataSize": 1000,
                                                           "UrlList": [address]}}]
        if self.faults.at("pictures", post.number):
            whole["imagePost"] = {"images": [{"imageURL": {"urlList": [f"https://{CDN}/cover/{post.id}.jpg"]}}]}
        return whole


def signature(identity, end):
    return hashlib.sha256(f"{identity} {end}".encode()).hexdigest()[:32]
