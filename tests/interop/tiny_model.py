"""Run in xllamacpp's own environment: make a tiny model of random weights, and serve it.

    python tiny_model.py MODEL.gguf PORT [--talks] [--seed N] [--type Q8_0]

The vocabulary is the 256 bytes and the space, so a token is a byte; the weights mean nothing,
inference, prompt cache and counting are real. With --talks there are sixty words besides, and the
model says nothing else: which, and how surely, is up to its weights and the prompt. --type
quantises its matrices as llama.cpp does. The server ends with its stdin.
"""

import argparse
import sys

import numpy as np
import xllamacpp
from gguf import GGMLQuantizationType, GGUFWriter, TokenType
from gguf.quants import quantize

SPACE = "\u2581".encode()  # what the tokenizer makes of a space
WIDTH, INNER, LAYERS, HEADS, CONTEXT = 64, 128, 2, 4, 8192
SURE = 0.6  # the larger, the surer of its words a model is
WORDS = [f"\u2581{a}{b}{a}".encode() for a in "bdfgklmnprstvz" for b in "aeiou"][:60]


def write(path: str, talks: bool = False, seed: int = 0, kind: str = "F32") -> None:
    dice = np.random.default_rng(seed)
    spread = 0.15 if talks else 0.05
    names = [b"<unk>", b"<s>", b"</s>", *(f"<0x{i:02X}>".encode() for i in range(256)), SPACE]
    kinds = [
        TokenType.UNKNOWN,
        TokenType.CONTROL,
        TokenType.CONTROL,
        *[TokenType.BYTE] * 256,
        TokenType.NORMAL,
    ]
    if talks:
        names += WORDS
        kinds += [TokenType.NORMAL] * len(WORDS)
    out = GGUFWriter(path, "llama")
    out.add_context_length(CONTEXT)
    out.add_embedding_length(WIDTH)
    out.add_block_count(LAYERS)
    out.add_feed_forward_length(INNER)
    out.add_head_count(HEADS)
    out.add_head_count_kv(HEADS)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(WIDTH // HEADS)
    out.add_vocab_size(len(names))
    out.add_file_type(0)
    out.add_tokenizer_model("llama")
    out.add_token_list(names)
    out.add_token_scores([0.0] * len(names))
    out.add_token_types(kinds)
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_unk_token_id(0)
    out.add_chat_template("{% for message in messages %}{{ message.content }}{% endfor %}")

    def add(name: str, *shape: int, drawn: float = spread) -> None:
        weights = (dice.standard_normal(shape) * drawn).astype(np.float32)
        if name == "output.weight" and talks:
            weights[: -len(WORDS)] = 0  # logits of 0: words are far above
        if kind == "F32":
            out.add_tensor(name, weights)
        else:
            of = GGMLQuantizationType[kind]
            out.add_tensor(name, quantize(weights, of), raw_dtype=of)

    def flat(name: str) -> None:
        out.add_tensor(name, np.ones(WIDTH, np.float32))

    add("token_embd.weight", len(names), WIDTH)
    flat("output_norm.weight")
    add("output.weight", len(names), WIDTH, drawn=SURE if talks else spread)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        flat(block + "attn_norm.weight")
        flat(block + "ffn_norm.weight")
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"{block}{part}.weight", WIDTH, WIDTH)
        add(block + "ffn_gate.weight", INNER, WIDTH)
        add(block + "ffn_up.weight", INNER, WIDTH)
        add(block + "ffn_down.weight", WIDTH, INNER)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("port", type=int)
    parser.add_argument("--talks", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--type", default="F32")
    given = parser.parse_args()
    path, port = given.path, given.port
    write(path, given.talks, given.seed, given.type)
    asked = xllamacpp.CommonParams()
    asked.model.path = path
    asked.port = port
    asked.n_ctx = CONTEXT
    asked.n_parallel = 1  # one slot: who comes next finds the last prompt in the cache
    asked.cpuparams.n_threads = 1
    asked.endpoint_metrics = True
    server = xllamacpp.Server(asked)
    print("ready", server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
