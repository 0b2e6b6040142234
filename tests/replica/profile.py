"""Serves a profile of the site: its page, and its videos from the newest on, as the page's script requests them. Its
posts are those of one author. Source of the formats: yt-dlp's extractor/tiktok.py."""
import json
import urllib.parse

from tiktok import JSON, PAGE

PER_PAGE = 15


class Profiles:
    """Answers are (status, headers, body of bytes)."""

    def __init__(self, tiktok):
        self.tiktok = tiktok

    def posts_of(self, name):
        return sorted((post for post in self.tiktok.posts if post.author == name), key=lambda post: -post.created)

    def page(self, name):
        posts = self.posts_of(name)
        detail = {"statusCode": 10221, "statusMsg": "user doesn't exist"}
        if posts:
            user = self.tiktok.item(posts[0]).get("author", {})
            detail = {"statusCode": 0, "userInfo": {"user": {**user, "secUid": self.identity(name)},
                                                    "stats": {"videoCount": len(posts)}, "itemList": []}}
        scope = json.dumps({"__DEFAULT_SCOPE__": {"webapp.user-detail": detail}}).replace("</", "<\\u002F")
        body = (f"<!DOCTYPE html><html><head><title>{name}</title></head><body><script type=\"application/json\" "
                f'id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{scope}</script></body></html>')
        return 200, PAGE, body.encode()

    @staticmethod
    def identity(name):
        return "MS4wLjABAAAA" + name.encode().hex().ljust(64, "0")[:64]

    def videos(self, path):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        names = {self.identity(post.author): post.author for post in self.tiktok.posts}
        name = names.get(query.get("secUid"), "")
        older = [post for post in self.posts_of(name) if post.created * 1000 < int(query["cursor"])]
        shown = older[:PER_PAGE]
        # The list has the id and date of every post, also of those with a faulty page.
        items = [{**self.tiktok.item(post), "id": str(post.id), "createTime": post.created} for post in shown]
        return 200, JSON, json.dumps({"statusCode": 0, "itemList": items,
                                      "hasMorePrevious": len(older) > len(shown)}).encode()
