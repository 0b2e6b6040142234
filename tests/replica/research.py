"""Serves the Research API's token and video query, and validates requests as strictly as the real one.
Source of the formats: developers.tiktok.com, "client access token" and "query videos"."""
import datetime
import hashlib
import json
import time
import urllib.parse

from faults import CHALLENGE

FIELDS = {"id", "video_description", "create_time", "region_code", "share_count", "view_count", "like_count",
          "comment_count", "music_id", "hashtag_names", "username", "effect_ids", "playlist_id", "voice_to_text",
          "is_stem_verified", "video_duration", "hashtag_info_list", "video_mention_list", "video_label"}
BODY = {"query", "start_date", "end_date", "max_count", "cursor", "search_id", "is_random"}
OPERATIONS = {"EQ", "IN", "GT", "GTE", "LT", "LTE"}
MOST_DAYS = 30


class Refused(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def day(text):
    try:
        return datetime.datetime.strptime(text, "%Y%m%d").replace(tzinfo=datetime.timezone.utc).date()
    except (TypeError, ValueError) as error:
        raise Refused(400, "invalid_params", f"bad date {text!r}") from error


def day_of(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).date()


class ResearchApi:
    """Answers are (status, headers, body of bytes)."""

    def __init__(self, posts, faults, key="key", secret="secret"):
        self.posts, self.faults, self.key, self.secret = posts, faults, key, secret
        self.tokens = {}  # -> time of expiry
        self.queries = self.searches = 0

    def token(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace")))
        right = (form.get("client_key"), form.get("client_secret")) == (self.key, self.secret)
        if self.faults.first("token-refused") or form.get("grant_type") != "client_credentials" or not right:
            return 401, {}, json.dumps({"error": "invalid_client", "error_description": "Client key or secret is incorrect.",
                                        "log_id": "202401"}).encode()
        seconds = self.faults.first("token-short") or 7200
        name = f"clt.{len(self.tokens) + 1}.{hashlib.sha256(self.secret.encode()).hexdigest()[:8]}"
        self.tokens[name] = time.monotonic() + seconds
        return 200, {}, json.dumps({"access_token": name, "expires_in": seconds, "token_type": "Bearer"}).encode()

    def query(self, url, authorization, body):
        self.queries += 1
        number, faults = self.queries, self.faults
        if faults.at("challenge", number):
            return 200, {"Content-Type": "text/html"}, CHALLENGE
        if faults.at("not-json", number):
            return 200, {}, b'{"data": {"videos": ['
        if faults.at("schema", number):
            return 200, {}, json.dumps({"result": {"list": []}, "error": {"code": "ok"}}).encode()
        try:
            if faults.at("rate", number):
                raise Refused(429, "rate_limit_exceeded", "The API rate limit was exceeded.")
            if faults.since("quota", number):
                raise Refused(429, "daily_quota_limit_exceeded", "The daily quota of requests is used up.")
            if faults.at("error", number):
                raise Refused(500, "internal_error", "Something is wrong. Try again later.")
            self.check_token(authorization, number)
            data = self.answer(url, json.loads(body), number)
        except Refused as refused:
            headers = {"Retry-After": "1"} if refused.code == "rate_limit_exceeded" else {}
            return refused.status, headers, json.dumps({"data": {}, "error": {
                "code": refused.code, "message": refused.message, "log_id": "202402"}}).encode()
        return 200, {}, json.dumps({"data": data, "error": {"code": "ok", "message": "", "log_id": "202403"}}).encode()

    def check_token(self, authorization, number):
        token = (authorization or "").removeprefix("Bearer ")
        if self.faults.once("token-stale", number):
            self.tokens.pop(token, None)
        if self.tokens.get(token, 0) < time.monotonic():
            raise Refused(401, "access_token_invalid", "The access token is invalid or not found in the request.")

    def answer(self, url, body, number):
        fields = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)).get("fields", "").split(",")
        if not set(fields) <= FIELDS or not set(body) <= BODY:
            raise Refused(400, "invalid_params", "unknown field")
        count, cursor = body.get("max_count", 20), body.get("cursor", 0)
        if not (isinstance(count, int) and 1 <= count <= 100 and isinstance(cursor, int) and cursor >= 0):
            raise Refused(400, "invalid_params", "Invalid count or cursor")
        found = self.found(body)
        search = self.search_id(body)
        self.searches += "search_id" in body
        lost = "search_id" in body and self.faults.at("search-lost", self.searches)
        if lost or (cursor > 0 and body.get("search_id") != search):
            raise Refused(400, "invalid_params", f"Search Id {body.get('search_id')} is invalid or expired")
        if self.faults.at("empty", number):
            return {"videos": [], "cursor": cursor, "has_more": True, "search_id": search}
        if self.faults.since("repeat", number):
            return {"videos": [self.video(post, fields) for post in found[:count]], "cursor": cursor + count,
                    "has_more": True, "search_id": search}
        end = cursor + count
        return {"videos": [self.video(post, fields) for post in found[cursor:end]], "cursor": end,
                "has_more": end < len(found), "search_id": search}

    def found(self, body):
        start, end = day(body.get("start_date")), day(body.get("end_date"))
        if not 0 <= (end - start).days <= MOST_DAYS:
            raise Refused(400, "invalid_params", "end_date must be within 30 days after start_date")
        query = body.get("query") or {}
        if not any(query.get(word) for word in ("and", "or", "not")):
            raise Refused(400, "invalid_params", "the query has no condition")
        wanted = None
        for condition in query.get("and", []):
            if condition.get("operation") not in OPERATIONS or not condition.get("field_values"):
                raise Refused(400, "invalid_params", "bad condition")
            if condition["field_name"] == "hashtag_name":
                wanted = condition["field_values"]
        return [post for post in self.posts if start <= day_of(post.created) <= end
                and (wanted is None or any(post.has(tag) for tag in wanted))]

    @staticmethod
    def search_id(body):
        asked = {name: body.get(name) for name in ("query", "start_date", "end_date")}
        return str(int(hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:15], 16))

    def video(self, post, fields):
        whole = {"id": post.id, "video_description": post.caption, "create_time": post.created, "region_code": "US",
                 "share_count": 1, "view_count": 100 * post.number, "like_count": 10, "comment_count": 2,
                 "music_id": post.id + 7, "hashtag_names": post.hashtags, "username": post.author, "video_duration": 2}
        for fault, field in (("no-id", "id"), ("no-author", "username"), ("no-date", "create_time")):
            if self.faults.at(fault, post.number):
                del whole[field]
        return {name: whole[name] for name in fields if name in whole}
