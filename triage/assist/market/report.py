"""The market report: brands and competitors, products by aspect, and rivals that negative records name.

All figures are counts of records in the index, or shares and differences of two such counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from triage.assist.market.names import Brand, Product
from triage.intervals import wilson


@dataclass(frozen=True, slots=True)
class Opinion:
    """Numbers of records that are positive and negative about something; neutral ones say nothing for or against."""

    positive: int = 0
    negative: int = 0

    @property
    def n(self) -> int:
        return self.positive + self.negative

    @property
    def net(self) -> float | None:
        """Net sentiment: the positive share less the negative one, from -1 to 1; None without any record."""
        return (self.positive - self.negative) / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of `net`: Wilson's of the positive share, stretched to -1 ... 1."""
        low, high = wilson(self.positive, self.n)
        return 2 * low - 1, 2 * high - 1


@dataclass(frozen=True, slots=True)
class BrandRow:
    """Figures of a brand.

    `records` have it as brand, or a product that it alone sells; `mentions` speak of it, also as a named organization
    or product in the text. `share` of voice: its mentions among all records that speak of any brand of the market.
    `rank` is by mentions, 1 first; `rank_before` that of the time of the same length before, None if it had no mention.
    `opinion` counts `records` only: a text that names a rival may praise one and blame the other.
    """

    brand: Brand
    records: int
    mentions: int
    mentions_before: int
    share: float
    rank: int
    rank_before: int | None
    opinion: Opinion


@dataclass(frozen=True, slots=True)
class ProductRow:
    """Figures of a product: its records, their sentiment, and the opinion on each aspect."""

    product: Product
    records: int
    opinion: Opinion
    aspects: dict[str, Opinion]


@dataclass(frozen=True, slots=True)
class LostTo:
    """`negative` records of an own brand that name a competitor in their text."""

    brand: Brand
    competitor: Brand
    negative: int


@dataclass(frozen=True, slots=True)
class MarketReport:
    """The market in the records from `start_ms` to `end_ms` (event times, end exclusive).

    `voices` is the number of records that speak of any brand of the market. Brands are sorted by rank, products by
    their records, losses by their number. `aspects` are those of any product, the most frequent first. `unlisted` are
    frequent brands of records that the market file does not have, with their numbers of records.
    """

    start_ms: int
    end_ms: int
    voices: int
    brands: Sequence[BrandRow]
    products: Sequence[ProductRow]
    aspects: Sequence[str]
    lost_to: Sequence[LostTo]
    unlisted: dict[str, int]
