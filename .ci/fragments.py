"""Does every link inside the built book lead to a place that exists?  python fragments.py BOOK

Linkinator looks for a fragment only on pages that it fetches after it has met the link; this looks on all of them.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.places, self.links = set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.places.update(attrs[name] for name in ("id", "name") if attrs.get(name))
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])


def main(book):
    root = Path(book).resolve()
    pages = {path: Page(path) for path in root.rglob("*.html")}
    looked, broken = 0, []
    for path, page in pages.items():
        for href in page.links:
            url = urlsplit(href)
            if url.scheme or url.netloc or not url.fragment:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            looked += 1
            if target not in pages or unquote(url.fragment) not in pages[target].places:
                broken.append(f"{path.relative_to(root)}: {href}")
    print(f"{looked} links to a place on a page, {len(broken)} broken")
    print("\n".join(broken))
    sys.exit(1 if broken or looked == 0 else 0)


main(*sys.argv[1:])
