"""The market report: brands and competitors, products by aspect, and rivals that negative records name.

All figures are counts of records in the index, or shares and differences of two such counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from triage.assist.market.names import Brand, Product
from triage.intervals import wilson


@dataclass(frozen=True, slots=True)
class Opinion:
    """Numbers of positive and of negative records about something; neutral ones are ignored."""

    positive: int = 0
    negative: int = 0

    @property
    def n(self) -> int:
        return self.positive + self.negative

    @property
    def net(self) -> float | None:
        """Net sentiment: the positive share minus the negative share, from -1 to 1.

        None without positive or negative records.
        """
        return (self.positive - self.negative) / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of `net`: Wilson's interval of the positive share, scaled to -1 to 1."""
        low, high = wilson(self.positive, self.n)
        return 2 * low - 1, 2 * high - 1


@dataclass(frozen=True, slots=True)
class BrandRow:
    """Statistics of a brand.

    `records` name it as brand, or name a product that only it sells; `mentions` also include records whose text names
    it as an organization or product. `share` of voice is its mentions divided by all records that mention any brand of
    the market. `rank` is by mentions, 1 is the highest; `rank_before` is that of the preceding period of equal length,
    None without mentions. `opinion` counts only `records`, because a text that names a competitor may praise one and
    criticise the other. `values` are the spellings of the brand in
    the field `brand`.
    """

    brand: Brand
    records: int
    mentions: int
    mentions_before: int
    share: float
    rank: int
    rank_before: int | None
    opinion: Opinion
    values: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ProductRow:
    """Statistics of a product: its records, their sentiment, and the opinion by aspect.

    `values` are the spellings of the product in the field `product`.
    """

    product: Product
    records: int
    opinion: Opinion
    aspects: dict[str, Opinion]
    values: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LostTo:
    """Number of `negative` records of an own brand (`brand`) that name a competitor in their text."""

    brand: Brand
    competitor: Brand
    negative: int


@dataclass(frozen=True, slots=True)
class MarketReport:
    """The market in the records from `start_ms` to `end_ms` (event times, end exclusive).

    `voices` is the number of records that mention any brand of the market. Brands are sorted by rank, products by
    number of records, losses by their number. `aspects` are those of any product, the most frequent first. `unlisted`
    are frequent brands of records that are not in the market file, with their numbers of records.
    """

    start_ms: int
    end_ms: int
    voices: int
    brands: Sequence[BrandRow]
    products: Sequence[ProductRow]
    aspects: Sequence[str]
    lost_to: Sequence[LostTo]
    unlisted: dict[str, int]
