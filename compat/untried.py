"""Why a check is not tried for a model, in both languages (English in `compat.json`). Pure."""

from compat.words import Words

LACKS = Words("the model is said not to have it", "已声明该模型不具备此功能")
EMBEDS = Words("this model makes embeddings", "这是向量模型")
NO_EMBEDS = Words("this is no embedding model", "这不是向量模型")
NO_RESPONSES = Words("the Responses API was not asked for", "未要求检查 Responses API")
NO_FILES = Words("files and batches were not asked for", "未要求检查文件与批处理")
NO_TOKENIZER = Words("the model's tokenizer is not known", "尚不清楚该模型的分词器")
NO_KEY = Words(
    "no key is sent, or something beside it may be the key: a header of --header, the base URL's "
    "query or path, a client certificate",
    "未使用密钥，或其他内容可能就是密钥：--header 的请求头、base URL 的查询或路径、客户端证书",
)
NO_WINDOW = Words("the model's context window is not known", "尚不清楚该模型的上下文长度")
LONG_WINDOW = Words("its context window is longer than may be sent", "上下文长度超过允许发送的上限")
NO_REASONING = Words("the model does not reason", "该模型不做推理")

_EVERY = (
    LACKS, EMBEDS, NO_EMBEDS, NO_RESPONSES, NO_FILES, NO_TOKENIZER, NO_KEY, NO_WINDOW, LONG_WINDOW,
    NO_REASONING,
)  # fmt: skip


def words_of(reason: str) -> Words:
    """A cell's reason in both languages; an unknown reason is returned unchanged."""
    known = (words for words in _EVERY if reason in (words.en, words.en[:200]))
    return next(known, Words(reason, reason))
