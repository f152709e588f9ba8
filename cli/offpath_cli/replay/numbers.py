"""Tell whether an event was there before, by its number, in bounded memory."""

from collections import OrderedDict

_PAGE_NUMBERS = 8_192
# Of 1 kB each. Beyond, the page that was used least recently is forgotten: then an event may be taken for new again.
_MOST_PAGES = 50_000


class SeenNumbers:
    """Remembers numbers of events, a bit each, in pages by process and range."""

    def __init__(self, most_pages: int = _MOST_PAGES) -> None:
        self._pages: OrderedDict[tuple[str, int], bytearray] = OrderedDict()
        self._most_pages = most_pages

    def is_new(self, number: tuple[str, int] | None) -> bool:
        """Note the number, and return whether it was not noted before; an event without one is always new."""
        if number is None:
            return True
        instance, sequence = number
        page = self._page((instance, sequence // _PAGE_NUMBERS))
        byte, bit = divmod(sequence % _PAGE_NUMBERS, 8)
        was_there = page[byte] >> bit & 1
        page[byte] |= 1 << bit
        return not was_there

    def _page(self, key: tuple[str, int]) -> bytearray:
        page = self._pages.setdefault(key, bytearray())
        if not page:
            page.extend(bytes(_PAGE_NUMBERS // 8))
            if len(self._pages) > self._most_pages:
                self._pages.popitem(last=False)
        self._pages.move_to_end(key)
        return page
