import numpy as np
import pytest

from newer_models import assert_close, computed, normal

pytestmark = pytest.mark.fast

QUERY, KEY, VALUE = normal(1, 2, 4, 3, 8), normal(2, 2, 4, 5, 8), normal(3, 2, 4, 5, 6)


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def attention(query, key, value, mask=0.0, scale=None, softcap=0.0):
    repeats = query.shape[1] // key.shape[1]
    key, value = (np.repeat(each, repeats, axis=1) for each in (key, value))
    scores = query @ key.swapaxes(-1, -2) * (scale or 1 / np.sqrt(query.shape[-1]))
    if softcap:
        scores = np.tanh(scores / softcap) * softcap
    return softmax(scores + mask) @ value


def flat(x):
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)


def causal(queries, keys, past=0):
    return np.where(np.arange(keys) <= np.arange(queries)[:, None] + past, 0, -np.inf)


def made_of(feeds, constants=None, **options):
    return computed("Attention", 23, feeds, constants, **options)


def test_of_four_dimensions():
    feeds = {"q": QUERY, "k": KEY, "v": VALUE}
    assert_close(made_of(feeds)[0], attention(QUERY, KEY, VALUE))
    assert_close(made_of(feeds, scale=0.2)[0], attention(QUERY, KEY, VALUE, scale=0.2))
    assert_close(made_of(feeds, softcap=2.0)[0], attention(QUERY, KEY, VALUE, softcap=2.0))
    assert_close(made_of(feeds, is_causal=1)[0], attention(QUERY, KEY, VALUE, causal(3, 5)))


def test_of_three_dimensions_with_fewer_heads_of_keys():
    key, value = KEY[:, :2], VALUE[:, :2]
    made = made_of({"q": flat(QUERY), "k": flat(key), "v": flat(value)}, q_num_heads=4, kv_num_heads=2)[0]
    assert_close(made, flat(attention(QUERY, key, value)))


@pytest.mark.parametrize("constant", [True, False])
def test_masks_of_floats_and_of_truth(constant):
    feeds = {"q": QUERY, "k": KEY, "v": VALUE}
    for mask in (normal(4, 3, 5), normal(5, 2, 1, 3, 5) > 0.2):
        added = mask if mask.dtype != np.bool_ else np.where(mask, 0, -1e30)
        more = ({}, {"m": mask}) if constant else ({"m": mask}, {})
        made = made_of({**feeds, **more[0]}, more[1])[0]
        expected = attention(QUERY, KEY, VALUE, added)
        if mask.dtype == np.bool_:
            # Who may look at nothing gets nothing.
            expected = expected * mask.any(axis=-1, keepdims=True)
        assert_close(made, expected)


def test_a_cache():
    past_key, past_value = normal(6, 2, 4, 2, 8), normal(7, 2, 4, 2, 6)
    feeds = {"q": QUERY, "k": KEY[:, :, :3], "v": VALUE[:, :, :3], "pk": past_key, "pv": past_value}
    inputs = ["q", "k", "v", "", "pk", "pv"]
    made = made_of(feeds, inputs=inputs, outputs=3, is_causal=1)
    key, value = (np.concatenate(pair, axis=2) for pair in ((past_key, feeds["k"]), (past_value, feeds["v"])))
    assert_close(made[0], attention(QUERY, key, value, causal(3, 5, past=2)))
    assert_close(made[1], key)
    assert_close(made[2], value)


def test_a_window():
    x = normal(8, 1, 1, 6, 4)
    seen = np.abs(np.arange(6) - np.arange(6)[:, None]) <= 1
    made = computed("Attention", 25, {"q": x, "k": x + 1, "v": x}, left_window_size=1, right_window_size=1)[0]
    assert_close(made, attention(x, x + 1, x, np.where(seen, 0, -np.inf)))


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("turned", [0, 4])
def test_rotary_embedding(interleaved, turned):
    x, half = normal(9, 2, 3, 5, 8), (turned or 8) // 2
    angles = normal(10, 50, half)
    places = np.array([[0, 7, 3, 1, 2], [4, 5, 6, 7, 49]], np.int64)
    constants = {"cos": np.cos(angles), "sin": np.sin(angles)}
    options = {"interleaved": interleaved, "rotary_embedding_dim": turned}
    made = computed("RotaryEmbedding", 23, {"x": x}, {**constants, "p": places}, **options)[0]
    pairs = x[..., : 2 * half]
    pairs = (
        pairs.reshape(*x.shape[:3], half, 2) if interleaved else pairs.reshape(*x.shape[:3], 2, half).swapaxes(-1, -2)
    )
    rotated = (pairs[..., 0] + 1j * pairs[..., 1]) * np.exp(1j * angles[places])[:, None]
    together = np.stack([rotated.real, rotated.imag], axis=-1 if interleaved else -2).reshape(*x.shape[:3], -1)
    expected = np.concatenate([together, x[..., 2 * half :]], axis=-1).astype(np.float32)
    assert_close(made, expected)
    flat_made = computed("RotaryEmbedding", 23, {"x": flat(x)}, {**constants, "p": places}, num_heads=3, **options)[0]
    assert_close(flat_made, flat(expected))
