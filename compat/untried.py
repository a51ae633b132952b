"""Why a check is not tried for a model, in both languages (English in `compat.json`). Pure."""

from recording.bilingual import Bilingual

LACKS = Bilingual("the model is said not to have it", "已声明该模型不具备此功能")
EMBEDS = Bilingual("this model makes embeddings", "这是向量模型")
NO_EMBEDS = Bilingual("this is no embedding model", "这不是向量模型")
NO_RESPONSES = Bilingual("the Responses API was not asked for", "未要求检查 Responses API")
NO_FILES = Bilingual("files and batches were not asked for", "未要求检查文件与批处理")
NO_TOKENIZER = Bilingual("the model's tokenizer is not known", "尚不清楚该模型的分词器")
NO_KEY = Bilingual(
    "no key is sent, or something beside it may be the key: a header of --header, the base URL's "
    "query or path, a client certificate",
    "未使用密钥，或其他内容可能就是密钥：--header 的请求头、base URL 的查询或路径、客户端证书",
)
NO_WINDOW = Bilingual("the model's context window is not known", "尚不清楚该模型的上下文长度")
LONG_WINDOW = Bilingual(
    "its context window is longer than may be sent", "上下文长度超过允许发送的上限"
)
NO_REASONING = Bilingual("the model does not reason", "该模型不做推理")

_EVERY = (
    LACKS, EMBEDS, NO_EMBEDS, NO_RESPONSES, NO_FILES, NO_TOKENIZER, NO_KEY, NO_WINDOW, LONG_WINDOW,
    NO_REASONING,
)  # fmt: skip


def words_of(reason: str) -> Bilingual:
    """A cell's reason in both languages; an unknown reason is returned unchanged."""
    known = (words for words in _EVERY if reason in (words.en, words.en[:200]))
    return next(known, Bilingual(reason, reason))
