"""Operator errors of `loadshapes` and `tasks` in Chinese."""

from collections.abc import Mapping

MODES: Mapping[str, str] = {
    "--identity-context …: give numbers of tokens from … to 2,000,000, separated by commas, e.g. 8000,32000.": "--identity-context {0}：请给出 {1} 到 2,000,000 之间的 token 数，用逗号分隔，如 8000,32000。",
    "--identity-output … is too few tokens to tell a cut reply from a short one: give … or more.": "--identity-output {0} 的 token 数太少，无法区分被截断的应答与短应答：请给出 {1} 或更多。",
    "--cancel-after … counts the chunks of a stream: give --stream, or a time such as 500ms.": "--cancel-after {0} 按流的 chunk 计数：请加 --stream，或给出时间，如 500ms。",
    "--identity-share mixes probes into the requests of a mode's own, over one route: leave out "
    "--against and --prompts.": "--identity-share 把探测请求混入模式自身的请求，只用一条路由：请去掉 --against 和 --prompts。",
    "--model is missing: mode capacity needs the model to load.": "缺少 --model：capacity 模式需要指定加压的模型。",
    "--slo is missing: mode capacity needs objectives to search by.": "缺少 --slo：capacity 模式需要目标作为搜索依据。",
    "--slo … has no objective for … in mode capacity: write one.": "--slo {0} 没有 {1} 在 capacity 模式下的目标：请补上。",
    "--slo …: goodput_rps rises with the rate, so a capacity cannot be searched by it: use "
    "attainment.": "--slo {0}：goodput_rps 随速率上升，不能用来搜索容量：请用 attainment。",
    "--slo …: … applies to streams: add --stream.": "--slo {0}：{1} 只适用于流式请求：请加 --stream。",
    "--slo …: … takes … requests in a window, and the lowest level, … RPM, sends … in … s: give "
    "--duration …, or three levels in --target of which the lowest is … or more.": "--slo {0}：{1} 需要窗口内有 {2} 个请求，而最低档 {3} RPM 在 {5} 秒内只发 {4} 个：请给出 "
    "--duration {6}，或在 --target 中给出三档，最低档不小于 {7}。",
    "--target of mode capacity is the first level to try, or three: lowest, first and highest; "
    "not ….": "capacity 模式的 --target 为起始档，或三档（最低、起始、最高），而不是 {0}。",
    "--target …: concurrency … needs as many --max-workers, not ….": "--target {0}：并发 {1} 需要同样多的 --max-workers，而不是 {2}。",
    "--target …: the levels must not decrease.": "--target {0}：各档不能递减。",
    "--fail-on success_rate would count the refusals that the checks of mode compat ask for: leave "
    "it out, and say with --require what must work.": "--fail-on success_rate 会把 compat 模式检查项有意引发的拒绝计入：请去掉，"
    "并用 --require 写明必须可用的功能。",
    "… For example, give ….": "{0:+}例如：{1}。",
    "--model is missing: mode interactive needs the model to load.": "缺少 --model：interactive 模式需要指定加压的模型。",
    "--model is missing: mode compat needs the models to check.": "缺少 --model：compat 模式需要指定要检查的模型。",
    "--require … requires nothing of …: name them there, or check other models.": "--require {0} 对 {1} 没有任何要求：请写上这些模型，或检查其他模型。",
    "--task-id … would add a field to every body that mode compat checks: leave it out (the "
    "task_id goes in a header), or give off.": "--task-id {0} 会给 compat 模式检查的每个请求体添加字段：请去掉（task_id 放在请求头中），或写 off。",
    "mode compat judges replies from evidence.jsonl, which --no-content would keep empty: leave it "
    "out; of your own texts, it sends only tools and schemas (--require).": "compat 模式根据 evidence.jsonl 中的应答判定，而 --no-content 会使其为空：请去掉；"
    "你的文本中只有自己的工具和 schema（--require）会被发送。",
    "--parts … is not a part: use some of ….": "--parts {0} 不存在：可用 {1}。",
    "--against is the reference itself: leave out --enrol and --reference, or --against.": "--against 本身就是参照：请去掉 --enrol 和 --reference，或去掉 --against。",
    "--enrol makes a reference, --reference uses one: give one of them.": "--enrol 用于生成参照，--reference 用于使用参照：请只给出一个。",
    "--model is missing: mode identity needs the models to ask.": "缺少 --model：identity 模式需要指定要询问的模型。",
    "--reference … differs from itself: its first half is not like its second (its route was "
    "mixed, or the model changed). It cannot be used: make another with --enrol.": "--reference {0} 自身前后不一致：前半与后半有差异（其路由混用了模型，或模型已变化）。"
    "不能用于判定：请用 --enrol 重新生成。",
    "--reference … is of one model (…): name one.": "--reference {0} 只属于一个模型（{1}）：请只写一个。",
    "--reference … is … days old: enrol it again, or give --reference-days … if the model has not "
    "changed since.": "--reference {0} 已有 {1} 天：请重新生成；若模型此后没有变化，可给出 --reference-days {2}。",
    "--reference … was made with another --extra-body: give the same, or enrol again.": "--reference {0} 生成时的 --extra-body 不同：请给出相同的值，或重新生成。",
    "mode identity asks what its reference was asked: leave out --max-tokens.": "identity 模式的问题须与参照相同：请去掉 --max-tokens。",
    "mode interactive loads one model at a time: name one with --model, not ….": "interactive 模式一次只对一个模型加压：请用 --model 指定一个，而不是 {0}。",
    "--steps is empty: name at least one concurrency.": "--steps 为空：请至少给出一个并发数。",
    "--model is missing: mode limits needs the model to ask.": "缺少 --model：limits 模式需要指定要询问的模型。",
    "mode limits sends until it is refused: give --budget or --budget-tokens.": "limits 模式会一直发送到被拒绝为止：请给出 --budget 或 --budget-tokens。",
    "--speed … makes it last over a year: give a higher speed.": "--speed {0} 会使运行超过一年：请给出更大的倍速。",
    "--trace is missing: mode replay needs the file of requests and times.": "缺少 --trace：replay 模式需要含请求和时间的文件。",
    "mode replay loads one model at a time, and the lines name …: name one with --model, and all "
    "lines are sent to it.": "replay 模式一次只对一个模型加压，而文件中写的是 {0}：请用 --model 指定一个，所有行都将发给它。",
    "--prompts …, line …: a conversation waits for its replies, so it needs a closed loop: use "
    "mode interactive, ladder with --hold, or soak or capacity with --search concurrency.": "--prompts {0} 第 {1} 行：多轮对话要等待应答，因此需要闭环：请用 interactive 模式、"
    "带 --hold 的 ladder，或带 --search concurrency 的 soak 或 capacity。",
    "… needs to know the most that a request may use, and line … of your traffic has no "
    "max_tokens: give --max-tokens.": "{0} 需要知道单次请求的最大用量，而文件第 {1} 行没有 max_tokens：请给出 --max-tokens。",
    "--… … cannot be read (…): give a file with one request per line, in JSON "
    "(docs/how-to/….md).": "无法读取 --{0} {1}（{2}）：请给出文件，每行一个 JSON 请求（docs/how-to/{3}.md）。",
    "--… … comes to … MiB of requests; they are sent to every worker, so they may have at most … "
    "MiB: make several runs of it….": "--{0} {1} 中的请求共 {2} MiB；它们要发给每个 worker，最多 {3} MiB：请分成多次运行 {4}。",
    "--against sends single requests twice, and these files contain conversations: remove them or "
    "--against.": "--against 只能把单次请求发送两遍，而这些文件含多轮对话：请去掉这些文件或 --against。",
    "a burst of … needs as many users, not ….": "{0} 个请求的并发需要同样多的用户，而不是 {1}。",
    "it needs one arrival time per request, in order.": "每个请求须有一个按顺序排列的到达时间。",
    "it would never end; give a count or a duration.": "它不会结束：请给出请求数或时长。",
    "… users are more than --max-workers …: raise --max-workers, or give fewer users.": "{0} 个用户超过了 --max-workers {1}：请提高 --max-workers，或减少用户数。",
    "…: only mode interactive reads Locust's own users, spawn rate and run time; mode … takes its "
    "users from its plan (--max-workers, --steps) and ends by it (--duration, --hold).": "{0}：只有 interactive 模式读取 Locust 自身的用户数、加压速度和运行时长；{1} 模式的用户数"
    "（--max-workers、--steps）和结束时间（--duration、--hold）由计划决定。",
    "--model is missing: mode … needs the model to load.": "缺少 --model：{0} 模式需要指定加压的模型。",
    "--target is missing: mode … needs a target ….": "缺少 --target：{0} 模式需要目标 {1:+}。",
    "--prefix-file … cannot be read (…): give another file.": "无法读取 --prefix-file {0}（{1}）：请给出其他文件。",
    "--tools needs --tools-prompt: say what the model should do with them.": "--tools 需要 --tools-prompt：请写明模型应如何使用这些工具。",
    "--tools … must hold a JSON list of tools in OpenAI's format.": "--tools {0} 须为 OpenAI 格式的工具列表（JSON）。",
    "--tools …: a tool has no function with a name; give each one.": "--tools {0}：有工具的函数没有名称：请逐一补上。",
    "--tools …: the parameters of … are not a JSON schema (…): correct them.": "--tools {0}：{1} 的参数不是 JSON Schema（{2}）：请修正。",
    '--tools-expect … must hold {"name": ..., "arguments": ...}.': '--tools-expect {0} 须为 {{"name": ..., "arguments": ...}}。',
    "… cannot be read as JSON (…): mend the file.": "{0} 无法作为 JSON 读取（{1}）：请修正该文件。",
    "--image … cannot be read (…): give another file.": "无法读取 --image {0}（{1}）：请给出其他文件。",
    "--image … is not named like an image: give a .png, .jpg, .webp or .gif.": "--image {0} 的文件名不像图片：请给出 .png、.jpg、.webp 或 .gif。",
}
