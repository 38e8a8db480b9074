"""Builds the objects that handle conversations from the settings."""

from triage.assist.conversations.answers import Answerer, HttpWebhooks, ProductGuide, Webhooks
from triage.assist.conversations.bot import Bot
from triage.assist.conversations.guard import Guard
from triage.assist.conversations.service import Conversations
from triage.assist.conversations.store import ConversationStore
from triage.assist.conversations.suggestions import NextSteps, Ranking
from triage.assist.conversations.turns import TurnTaker
from triage.assist.playbooks.loader import Playbooks, load_playbooks
from triage.clock import Clock
from triage.config import ConversationSettings, Settings
from triage.metrics import Metrics
from triage.redaction import Redactor


def build_taker(
    settings: ConversationSettings,
    webhooks: Webhooks | None = None,
    answerer: Answerer | None = None,
    ranking: Ranking | None = None,
    playbooks: Playbooks | None = None,
    guide: ProductGuide | None = None,
) -> TurnTaker:
    """Build the TurnTaker, which answers turns by the configured playbooks.

    What is not given is made from the settings; without `answerer` and `guide` the bot has no knowledge base and no
    product guide. Raises ConfigError for a mistake in the playbooks, and ModelError or MissingExtraError for the
    policy.
    """
    found = playbooks or load_playbooks(settings.playbooks)
    if ranking is None and settings.policy is not None:
        from triage.assist.policy.artifact import PolicyModel
        from triage.assist.policy.ranking import PolicyRanking

        ranking = PolicyRanking(PolicyModel(settings.policy))
    bot = Bot(found, Guard(), webhooks or HttpWebhooks(settings.webhooks), answerer, settings.clarify_times, guide)
    return TurnTaker(bot, NextSteps(found, bot.matcher, ranking), settings)


def build_conversations(
    settings: Settings,
    store: ConversationStore,
    taker: TurnTaker,
    redactor: Redactor,
    clock: Clock,
    metrics: Metrics | None = None,
) -> Conversations:
    """Build the Conversations of a store, whose turns `taker` answers.

    The author key is also that of texts' digests.
    """
    key = settings.redaction.author_key.get_secret_value().encode()
    return Conversations(store, taker, settings.conversations, clock, metrics or Metrics(), redactor.author_hash, key)
