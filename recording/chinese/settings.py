"""Operator errors of `settings` in Chinese."""

from collections.abc import Mapping

SETTINGS: Mapping[str, str] = {
    "--auth … is not bearer, api-key, none or the name of a header that takes the key (give other "
    "headers with --header, and --auth none).": "--auth {0} 不是 bearer、api-key、none 或存放密钥的请求头名称（其他请求头请用 --header，"
    "并加 --auth none）。",
    "--header … and the API key would use the same header: remove it, or give --auth none.": "--header {0} 与 API 密钥使用同一个请求头：请去掉，或加 --auth none。",
    "the OPENAI_* variable of header … is not plain ASCII text: set it again.": "请求头 {0} 的 OPENAI_* 变量不是纯 ASCII 文本：请重新设置。",
    "… takes NAME=VALUE, and the value given has no '=': write it that way.": "{0} 的格式为 NAME=VALUE，而给出的值没有“=”：请按此格式书写。",
    "… … has no value: give one, or remove it.": "{0} {1} 没有值：请给出，或去掉。",
    "… … is given twice: give it once.": "{0} {1} 给出了两次：请只给一次。",
    "… …: a value may hold {task_id}, {run_id} and {env:NAME}, and no other name in braces: "
    "correct it.": "{0} {1}：值中只能使用 {{task_id}}、{{run_id}} 和 {{env:NAME}}，花括号中不能有其他名称：请修正。",
    "… …: its value must be plain ASCII text on one line, as a header takes it.": "{0} {1}：请求头的值须为单行纯 ASCII 文本。",
    "… …: the variable … is not set: set it.": "{0} {1}：变量 {2} 未设置：请设置。",
    "… …: this header belongs to the connection: remove it.": "{0} {1}：该请求头属于连接本身：请去掉。",
    "…: the name before '=' is not a valid header name: correct it.": "{0}：“=”之前不是有效的请求头名称：请修正。",
    "the base URL contains a user name or password: put the key into the environment instead.": "base URL 含有用户名或密码：请改用环境变量存放密钥。",
    "the base URL ends in /chat/completions, which is added automatically: remove it.": "base URL 以 /chat/completions 结尾，该部分会自动添加：请去掉。",
    "the base URL ends in a fragment (#...), which is never sent: remove it.": "base URL 以片段（#...）结尾，片段不会发送：请去掉。",
    "the base URL may contain … once, in its path: correct it.": "base URL 的路径中最多出现一次 {0}：请修正。",
    "the base URL… is not a URL: write http(s)://host[:port]/path.": "base URL{0} 不是 URL：请写成 http(s)://host[:port]/path。",
    "the only placeholder in the base URL may be …: remove the others.": "base URL 中只能使用占位符 {0}：请去掉其他占位符。",
    "the query of the base URL holds characters that a URL cannot: write them percent-encoded.": "base URL 的查询部分含有 URL 不允许的字符：请用百分号编码。",
    "--extra-body asks for several choices (n), but only one is read and judged: ask for 1.": "--extra-body 要求多个 choice（n），但只读取并判定一个：请设为 1。",
    """--extra-body is not JSON (…): write an object such as '{"reasoning_effort": "low"}', in """
    "single quotes for the shell.": '--extra-body 不是 JSON（{0}）：请写对象，如 \'{{"reasoning_effort": "low"}}\'，并用单引号括起。',
    """--extra-body must be a JSON object, such as '{"reasoning_effort": "low"}'.""": '--extra-body 须为 JSON 对象，如 \'{{"reasoning_effort": "low"}}\'。',
    "--extra-body removes the output budget, but --budget needs an upper limit for each request: "
    "keep it.": "--extra-body 去掉了输出上限，而 --budget 需要单次请求的上限：请保留。",
    "--extra-body removes …, which every request needs: remove it.": "--extra-body 去掉了每个请求都需要的 {0}：请不要去掉。",
    "--extra-body sets …: remove it; ….": "--extra-body 设置了 {0}：请去掉；{1}。",
    "--auth none sends no key: remove --key-command.": "--auth none 不发送密钥：请去掉 --key-command。",
    "the base URL contains the API key, which would appear in every report: put the key only into "
    "the environment.": "base URL 含有 API 密钥，会出现在每份报告中：请只把密钥放在环境变量里。",
    "the base URL … contains a secret that is unknown on this machine: give the URL with -H, or "
    "set its variable, here too.": "base URL {0} 含有本机未知的密钥：请在本机也用 -H 给出该 URL，或设置其变量。",
    "the key of this run comes from --key-command: give it on this machine too.": "本次运行的密钥来自 --key-command：请在本机也给出。",
    "the run sends the headers …, whose values are not sent to workers: give --header (or "
    "WEIGHBRIDGE_HEADER) on this machine too.": "本次运行发送请求头 {0}，其值不会发给 worker：请在本机也给出 --header（或 WEIGHBRIDGE_HEADER）。",
    "the simulator did not start: …": "模拟器未能启动：{0}",
    "the simulator requires its key: remove --auth none.": "模拟器需要密钥：请去掉 --auth none。",
    "… cannot be read (…): mend or remove it.": "无法读取 {0}（{1}）：请修正或删除。",
    "--gateway … has no base URL: set … in the environment or ….": "--gateway {0} 没有 base URL：请在环境变量或 {2} 中设置 {1}。",
    "--gateway … is not a usable name: use letters, digits and '-', so that NAME_BASE_URL and "
    "NAME_API_KEY can be set.": "--gateway {0} 不能用作名称：请用字母、数字和“-”，以便设置 NAME_BASE_URL 和 NAME_API_KEY。",
    "--gateway … is … (…), and -H says …: remove one of them.": "--gateway {0} 为 {1}（{2}），而 -H 写的是 {3}：请去掉其一。",
    "no API key: set … in the environment or … (--auth none for a gateway without a key).": "没有 API 密钥：请在环境变量或 {1} 中设置 {0}（网关不需要密钥时用 --auth none）。",
    "no gateway is named: give -H https://host/v1, or set OPENAI_BASE_URL in the environment or …, or use --simulator.": "未指定网关：请给出 -H https://host/v1，或在环境变量或 {0} 中设置 "
    "OPENAI_BASE_URL，或使用 --simulator。",
    "the only key is …, which belongs to … (…), and -H says …: a key is sent only to its own "
    "gateway. …": "唯一的密钥是 {0}，属于 {1}（{2}），而 -H 写的是 {3}：密钥只发给它所属的网关。{4:+}",
    "two gateways are configured, …: choose one with --gateway … or --gateway … (or "
    "WEIGHBRIDGE_GATEWAY in …).": "配置了两个网关：{0}。请用 --gateway {1} 或 --gateway {2}（或 {3} 中的 WEIGHBRIDGE_GATEWAY）选择其一。",
    "… are both set, and -H … is the base URL of neither: a key is sent only to its own gateway. …": "同时设置了 {0}，而 -H {1} 不是其中任何一个的 base URL：密钥只发给它所属的网关。{2:+}",
    "… is configured twice, with two keys: choose one with --gateway (…).": "{0} 配置了两次，密钥不同：请用 --gateway 选择其一（{1}）。",
    "Name the gateway: set MINE_BASE_URL and MINE_API_KEY (any name), and give --gateway mine; or "
    "--auth none if it needs no key.": "请为网关命名：设置 MINE_BASE_URL 和 MINE_API_KEY（名称任选），并给出 --gateway mine；"
    "不需要密钥时用 --auth none。",
    "--key-command cannot be read (…): fix it.": "--key-command 无法解析（{0}）：请修正。",
    "--key-command is empty: give a program that prints the key.": "--key-command 为空：请给出会打印密钥的程序。",
    "--key-command is run without a shell, and this one needs it: write it as sh -c '...'.": "--key-command 不经 shell 运行，而该命令需要 shell：请写成 sh -c '...'。",
    "… cannot be run (…): fix it.": "{0} 无法运行（{1}）：请修正。",
    "… ended with code …: try it by hand.": "{0} 以代码 {1} 结束：请手动试运行。",
    "… printed more than a key (JSON, or several words): it must print only the key, e.g. sh -c "
    "'COMMAND | jq -r .access_token'.": "{0} 打印的不只是密钥（JSON 或多个词）：须只打印密钥，如 sh -c 'COMMAND | jq -r .access_token'。",
    "… printed no key within … s: try it by hand.": "{0} 在 {1} 秒内没有打印密钥：请手动试运行。",
    "… printed nothing: try it by hand.": "{0} 没有打印任何内容：请手动试运行。",
    "…: the program does not exist: give its path.": "{0}：程序不存在：请给出其路径。",
    "--against-model … is not OURS=THEIRS: write the model's name here, '=', and its name at the "
    "reference.": "--against-model {0} 的格式不是 OURS=THEIRS：请写本方模型名、“=”和参照路由的模型名。",
    "--prices … is in …, but the gateway's costs are in …: write the prices in …, or give "
    "--currency … if the gateway bills in that.": "--prices {0} 的货币为 {1}，而网关的费用为 {2}：请用 {3} 书写价格；若网关以 {4} 计费，"
    "请给出 --currency {4}。",
    "--against-header and --against-key-command belong to a reference: give --against, too.": "--against-header 和 --against-key-command 属于参照路由：请同时给出 --against。",
    "--against-model names models of a reference: give the reference with --against.": "--against-model 是参照路由的模型名：请用 --against 给出参照路由。",
    "--cancel-share sets how many requests are cancelled: add --cancel-after to set when.": "--cancel-share 决定取消多少请求：请加 --cancel-after 决定何时取消。",
    "--fail-on uses attainment or goodput_rps: give the objectives with --slo.": "--fail-on 使用了 attainment 或 goodput_rps：请用 --slo 给出目标。",
    "--mode is missing: choose a test (…).": "缺少 --mode：请选择一种测试（{0}）。",
    "--mode … is unknown: …use one of ….": "--mode {0} 不存在：{1}可用 {2}。",
    "--precision-ms is about what the gateway adds to a reference: give --against.": "--precision-ms 针对网关相对参照路由增加的时间：请给出 --against。",
    "--run-id names a folder: use only letters, digits, '.', '_' and '-'.": "--run-id 是目录名：只能使用字母、数字、“.”、“_”和“-”。",
    "--against …: no key was configured with that base URL. Set REF_BASE_URL and REF_API_KEY (any "
    "name) and give --against ref, or --against-auth none if it needs no key.": "--against {0}：没有与该 base URL 一起配置的密钥。请设置 REF_BASE_URL 和 REF_API_KEY（名称任选）"
    "并给出 --against ref；不需要密钥时用 --against-auth none。",
    "--against: …": "--against：{0:+}",
    "--dry-run cannot be combined with --resume: events.jsonl and the run's report show what is "
    "left to send.": "--dry-run 不能与 --resume 同用：尚未发送的内容见 events.jsonl 和该运行的报告。",
    "--resume continues with the run's own options: leave out …, or start a new run.": "--resume 沿用该运行自己的选项：请去掉 {0}，或开始新的运行。",
    "--resume … was made with --no-content, which kept its … out of the files: give it again.": "--resume {0} 使用了 --no-content，其 {1} 没有写入文件：请再次给出。",
    "--resume … was made with … (…), whose value is not stored: give it again.": "--resume {0} 使用了 {1}（{2}），其值不会保存：请再次给出。",
    "--resume …: its manifest.json says … for …: restore the file, or start a new run.": "--resume {0}：其 manifest.json 中 {2} 为 {1}：请恢复该文件，或开始新的运行。",
    "--resume …: mode interactive has no plan to resume: make the report of that run, or start a "
    "new one.": "--resume {0}：interactive 模式没有可续跑的计划：请生成该运行的报告，或开始新的运行。",
    "--… must be above 0, not ….": "--{0} 须大于 0，而不是 {1}。",
    "--… takes whole numbers separated by commas, not ….": "--{0} 为逗号分隔的整数，而不是 {1}。",
    "--… … is above …: give a smaller number.": "--{0} {1} 大于 {2}：请给出较小的数。",
    "`weighbridge --help` and docs/reference/options.md list them": "全部选项见 `weighbridge --help` 和 docs/reference/options.md",
    "the key comes from the environment or .env (OPENAI_API_KEY), never from here": "密钥来自环境变量或 .env（OPENAI_API_KEY），不在命令行中给出",
    "… needs a value: write it after …, or as …=VALUE.": "{0} 需要值：请写在 {1} 之后，或写成 {2}=VALUE。",
}
