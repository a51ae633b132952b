"""Operator errors of the web UI's start form in Chinese."""

from collections.abc import Mapping

WEBUI: Mapping[str, str] = {
    "Give it on the command line that starts this server.": "请在启动本服务器的命令行中给出。",
    "the number of users must be at least 1.": "用户数至少为 1。",
    "the ramp up must be above 0 users per second.": "加压速度须大于每秒 0 个用户。",
    "write the run time like 20s, 3m or 1h20m, not ….": "运行时长请写成 20s、3m 或 1h20m，而不是 {0}。",
    "… cannot be set from the browser: give it on the command line that starts Locust.": "{0} 不能在浏览器中设置：请在启动 Locust 的命令行中给出。",
    "… is empty: it takes ….": "{0} 为空：应为 {1}。",
    "… is not a field of the start form: leave it out.": "{0} 不是启动表单的字段：请去掉。",
    "… must be true or false, not ….": "{0} 须为 true 或 false，而不是 {1}。",
    "--metrics-port … of … cannot be opened (…): give another port or another --metrics-host.": "无法打开 {1} 的 --metrics-port {0}（{2}）：请换一个端口或 --metrics-host。",
    "a run is in progress (…), and mode … keeps to its plan: stop it first.": "已有运行在进行（{0}），{1} 模式按计划执行：请先停止它。",
    "a run is in progress: only the number of users and the ramp up can be changed, not --….": "已有运行在进行：只能更改用户数和加压速度，不能更改 --{0}。",
    "a run time is for mode interactive only: mode … ends by its plan, so leave the run time "
    "empty.": "运行时长只用于 interactive 模式：{0} 模式按计划结束，请把运行时长留空。",
    "no key of this server belongs to …, and a key is not sent to a host that was typed in: start "
    "Locust with -H, or set the base URL beside its key (OPENAI_BASE_URL, OPENAI_API_KEY).": "本服务器没有属于 {0} 的密钥，而密钥不会发给表单中填写的主机：请用 -H 启动 Locust，"
    "或把 base URL 与密钥一起设置（OPENAI_BASE_URL、OPENAI_API_KEY）。",
    "no worker is connected: start one with locust --worker, then try again.": "没有 worker 连接：请用 locust --worker 启动一个，然后重试。",
    "the last run is still being stopped: try again in a moment.": "上一次运行仍在停止：请稍后重试。",
    "the number of users must be at least 1: use Stop to end the run.": "用户数至少为 1：要结束运行请按“停止”。",
    "this is …: …; nothing was sent, so press Start once more if that is what you mean.": "这是 {0}：{1}；尚未发送任何请求，若确认无误请再按一次“开始”。",
    "this server sends to … only, because the API key goes with every request: start Locust with "
    "another -H to load another gateway.": "每个请求都带有 API 密钥，因此本服务器只发往 {0}：要压测其他网关，请换 -H 启动 Locust。",
}
