"""Tokens are packed as signs; each token of a question finds the nearest one."""

import numpy as np
import pytest

from triage.assist.retrieval.late_interaction import nearest_tokens, pack_tokens, similarity_of


def vectors(count, dimensions=64, seed=1):
    return np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)


def test_similarity_is_that_to_the_signs():
    passage, question = vectors(7), vectors(3, seed=2)
    found = nearest_tokens(question, pack_tokens(passage))
    signs = np.where(passage > 0, 1.0, -1.0) / 8
    expected = (question / np.linalg.norm(question, axis=1, keepdims=True)) @ signs.T
    assert found == pytest.approx(expected.max(axis=1), abs=1e-5)


def test_a_token_finds_itself_among_others():
    passage = vectors(50)
    found = nearest_tokens(passage[[3, 40]], pack_tokens(passage))
    # The angle between a random vector and its signs.
    assert found == pytest.approx([0.8, 0.8], abs=0.1)
    assert nearest_tokens(vectors(1, seed=9), pack_tokens(passage))[0] < 0.6


def test_an_article_is_as_similar_as_the_best_parts_of_its_passages():
    first, second = np.array([0.9, 0.1], np.float32), np.array([0.2, 0.7], np.float32)
    assert similarity_of([first, second]) == pytest.approx(0.8)


def test_a_passage_without_tokens_is_near_to_nothing():
    assert nearest_tokens(vectors(2), pack_tokens(vectors(0))).tolist() == [-1.0, -1.0]
