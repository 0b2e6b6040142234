"""What a replica is to do wrong: NAME or NAME:NUMBER, several of one name allowed.

Requests are numbered from 1 in the order in which they come, posts by their place in the folder's manifest. Queries are
those for videos: of the Research API, or of the site's /api/challenge/item_list/.

  token-short:S       tokens live S seconds
  token-refused       no token for anybody
  token-stale:N       the Nth query finds its token invalid, once
  rate:N              the Nth query comes too fast (429 rate_limit_exceeded)
  quota:N             from the Nth query on the day's quota is used up (429 daily_quota_limit_exceeded)
  error:N             the Nth query fails (500 internal_error)
  not-json:N          the Nth query is answered by half a JSON text
  schema:N            the Nth query is answered by another form
  challenge:N         the Nth query is answered by a challenge page
  empty-body:N        the Nth query is answered by nothing, as the site does to those it takes for robots
  hang:N              the Nth query is not answered
  search-lost:N       the Nth query that brings a search_id finds it expired
  empty:N             the Nth query is answered by an empty page that says there is more
  repeat:N            from the Nth query on every page is the first one again, with more
  hollow:N            from the Nth query on pages are empty and say that there is more
  overlap:N           the page of the Nth query begins with the last items of the one before
  waf:N               from the Nth on, the site's start page is a challenge page
  quiet:N late-request:N   the Nth start page makes no request after it is loaded, or one after 0.9 s
  token-late:MS token-missing   the site sets its msToken cookie that long after loading, or never
  link-life:S         addresses of bytes are good for S seconds
  no-id:P no-author:P no-date:P         fields of post P are missing
  bare-author:P       its author is an object without id, uniqueId and secUid
  no-address:P        no address of its bytes
  pictures:P          it is a slide show
  unplayable:P        it comes in a form that nobody can decode
  page-challenge:P page-broken:P         the web page of post P is a challenge page, or its JSON is cut
  page-gone:P page-hang:P                it is not there (404), or does not come
  deleted:P private:P expired:P         the bytes of post P are gone (404), need a login (401), or had their time (403)
  html:P page:P challenge-media:P       a web page as video/mp4, as text/html, or a challenge in place of its bytes
  cut:P               its bytes end in the middle of the file, as a whole file
  break:P             the connection ends in the middle of its bytes, once
  busy:P              503 in place of its bytes, once
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
        """The number of a fault that is given once; None where it is not."""
        return self.numbers.get(name, [None])[0]

    def at(self, name, number):
        return number in self.numbers.get(name, ())

    def since(self, name, number):
        return any(number >= begin for begin in self.numbers.get(name, ()))

    def once(self, name, number):
        """True at the first call of a fault that is there."""
        if not self.at(name, number) or (name, number) in self.spent:
            return False
        self.spent.add((name, number))
        return True
