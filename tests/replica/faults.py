"""Faults of a replica: NAME or NAME:NUMBER, several of one name allowed.

Requests are numbered from 1 in order of arrival, posts by their position in the folder's manifest. Queries are
requests for videos: of the Research API, or of the site's /api/challenge/item_list/.

  token-short:S       tokens expire after S seconds
  token-refused       no token is issued
  token-stale:N       the token is invalid at the Nth query, once
  rate:N              the Nth query is too fast (429 rate_limit_exceeded)
  quota:N             from the Nth query on the day's quota is used up (429 daily_quota_limit_exceeded)
  error:N             the Nth query fails (500 internal_error)
  not-json:N          the Nth query gets a truncated JSON text
  schema:N            the Nth query gets another schema
  challenge:N         the Nth query gets a challenge page
  empty-body:N        the Nth query gets an empty body, as the site sends to suspected robots
  hang:N              the Nth query gets no answer
  search-lost:N       the search_id of the Nth query with one has expired
  empty:N             the Nth query gets an empty page with has_more
  repeat:N            from the Nth query on every page is the first one, with has_more
  hollow:N            from the Nth query on pages are empty, with has_more
  overlap:N           the page of the Nth query begins with the last items of the previous one
  waf:N               from the Nth on, the site's start page is a challenge page
  quiet:N late-request:N   the Nth start page makes no request after loading, or one after 0.9 s
  token-late:MS token-missing   the site sets its msToken cookie that long after loading, or never
  link-life:S         addresses of bytes are valid for S seconds
  no-id:P no-author:P no-date:P         fields of post P are missing
  bare-author:P       its author is an object without id, uniqueId and secUid
  no-address:P        it has no address of its bytes
  pictures:P          it is a slide show
  unplayable:P        its format cannot be decoded
  page-challenge:P page-broken:P         the web page of post P is a challenge page, or its JSON is truncated
  page-gone:P page-hang:P                it is missing (404), or never arrives
  deleted:P private:P expired:P         the bytes of post P are gone (404), need a login (401), or have expired (403)
  html:P page:P challenge-media:P       a web page as video/mp4, as text/html, or a challenge instead of its bytes
  cut:P               its bytes are a truncated file, sent as complete
  break:P             the connection ends in the middle of its bytes, once
  busy:P              503 instead of its bytes, once
"""

POSTS = {"no-id", "no-author", "no-date", "deleted", "private", "expired", "html", "page", "challenge-media", "cut",
         "break", "busy", "bare-author", "no-address", "pictures", "page-challenge", "page-broken",
         "page-gone", "page-hang", "unplayable"}
QUERIES = {"token-short", "token-refused", "token-stale", "rate", "quota", "error", "not-json", "schema", "challenge",
           "search-lost", "empty", "repeat", "empty-body", "hang", "hollow", "overlap", "waf", "quiet", "late-request",
           "token-late", "token-missing", "link-life"}
PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in to go on.</body></html>"
CHALLENGE = (b'<!DOCTYPE html><html><head><title>Please wait...</title></head><body>'
             b'<p id="cs" class="eyJ2Ijp7ImEiOiJZUT09IiwiYyI6IlpnPT0ifX0="></p>'
             b'<p id="wci" class="_wafchallengeid"></p><script src="/waf.js"></script></body></html>')


class Faults:
    def __init__(self, specs):
        self.numbers, self.spent = {}, set()
        for spec in specs:
            name, _, number = spec.partition(":")
            if name not in POSTS | QUERIES:
                raise ValueError(f"no fault {name!r}; see faults.py")
            self.numbers.setdefault(name, []).append(int(number or 1))

    def first(self, name):
        """The number of a fault given once; None if it is not given."""
        return self.numbers.get(name, [None])[0]

    def at(self, name, number):
        return number in self.numbers.get(name, ())

    def since(self, name, number):
        return any(number >= begin for begin in self.numbers.get(name, ()))

    def once(self, name, number):
        """True at the first call for a given fault."""
        if not self.at(name, number) or (name, number) in self.spent:
            return False
        self.spent.add((name, number))
        return True
