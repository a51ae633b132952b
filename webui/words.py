"""The texts of our pages in the browser, in the language of `--lang`. Pure."""

from collections.abc import Mapping

# A column of the Gateway tab: its key, then its title in English and Chinese.
_COLUMNS = {
    "phase": ("Phase", "阶段"),
    "model": ("Model", "模型"),
    "planned": ("Planned", "计划"),
    "sent": ("Sent", "已发送"),
    "flight": ("In flight", "进行中"),
    "ok": ("OK", "成功"),
    "outcomes": ("Outcomes", "结果分布"),
    "rpm": ("RPM", "RPM"),
    "tpm": ("TPM", "TPM"),
    "p50": ("P50, s", "P50 秒"),
    "p95": ("P95, s", "P95 秒"),
    "p99": ("P99, s", "P99 秒"),
    "ttft50": ("TTFT P50, s", "TTFT P50 秒"),
    "ttft95": ("TTFT P95, s", "TTFT P95 秒"),
    "ttft99": ("TTFT P99, s", "TTFT P99 秒"),
    "lag": ("Send lag P99", "发送滞后 P99"),
    "cost": ("Cost", "费用"),
}
# A file or page that can be opened, by its address below /gateway.
_FILES = {
    "requests.csv": ("Download the run's rows (CSV)", "下载本次运行的记录（CSV）"),
    "requests.jsonl": ("Download the run's rows (JSONL)", "下载本次运行的记录（JSONL）"),
    "report.html": ("Download the run's report (HTML)", "下载本次运行的报告（HTML）"),
    "": ("Live charts of the gateway", "网关实时图表"),
}
# Everything else; scripts read them from /gateway/state, gateway.html has them in braces.
_TEXTS = {
    "title": ("Gateway", "网关"),
    "none": ("no run yet", "尚无运行"),
    "on": ("on", "发往"),
    "running": ("running", "运行中"),
    "ended": ("ended", "已结束"),
    "because": (": ", "："),
    "simulated": ("SIMULATED", "SIMULATED 模拟"),
    "own_page": ("Charts and table on a separate page", "在单独页面查看图表与表格"),
    "chart_rpm": ("Requests per minute", "每分钟请求数"),
    "chart_tpm": ("Tokens per minute", "每分钟 token 数"),
    "chart_p95": ("Latency P95, s", "延迟 P95 秒"),
    "chart_cost": ("Cost so far", "累计费用"),
    "line_rpm": ("succeeded", "成功"),
    "line_failed": ("failed", "失败"),
    "line_tpm": ("tokens", "token"),
    "line_p95": ("P95", "P95"),
    "line_cost": ("cost", "费用"),
    "failed_red": ("failed (red)", "失败（红）"),
    "point": (
        "A point covers the {} s before it, within its phase; a line ends with its phase.",
        "每个点统计其前 {} 秒（不跨阶段）；曲线随阶段结束而中断。",
    ),
    "rows_csv": ("rows (CSV)", "记录（CSV）"),
    "rows_jsonl": ("rows (JSONL)", "记录（JSONL）"),
    "report": ("report (HTML)", "报告（HTML）"),
    "until_stopped": ("until stopped", "直至停止"),
    "unknown": ("unknown", "未知"),
    "late": ("generator-limited", "受压测端限制"),
    "held": ("held back by the budget", "受预算限制"),
    "on_time": ("on time", "准时"),
    "event_loop": ("event loop", "事件循环"),
    "no_run": ("There is no run yet: start one first.", "尚无运行：请先启动一次。"),
    "no_report": (
        "The report is written when the run has ended.",
        "报告在运行结束后生成。",
    ),
    "start": ("Start a run", "开始测试"),
    "watch": ("Live", "实时"),
    "runs": ("Runs", "历次运行"),
    "locust": ("Locust", "Locust"),
    "skip": ("Skip to content", "跳到正文"),
    "needs_script": ("This page needs JavaScript.", "此页面需要启用 JavaScript。"),
    "which": ("What do you want to know?", "想测什么？"),
    "to": ("Gateway", "网关"),
    "colon": (": ", "："),
    "semicolon": ("; ", "；"),
    "aside": (" ({})", "（{}）"),
    "comma": (", ", "，"),
    "any_host": (
        "base URL of the gateway, such as https://host/v1",
        "网关的 base URL",
    ),
    "given": ("Set on the command line of this server", "由服务端命令行设定"),
    "more": ("More options", "更多选项"),
    "is_simulated": ("a simulator: nothing is charged", "模拟器，不产生费用"),
    "is_real": (
        "requests go to this gateway and may cost money",
        "请求会发往该网关，可能产生费用",
    ),
    "would": ("This would send", "预计发送"),
    "wrong": ("Not ready to start", "尚不能开始"),
    "go": ("Start", "开始"),
    "starting": ("Starting", "正在开始"),
    "stop": ("Stop", "停止"),
    "unreachable": (
        "This server does not answer: what is shown may be out of date.",
        "连不上服务端：所示内容可能已过时。",
    ),
    "phase_now": ("Now", "当前阶段"),
    "phase_next": ("Next", "接下来"),
    "left_time": ("Time left", "剩余时间"),
    "spent": ("Budget used", "已用预算"),
    "of": ("of", "/"),
    "errors": ("The gateway's message", "网关返回的错误"),
    "times": ("Times", "次数"),
    "outcome": ("Outcome", "结果"),
    "said": ("Its message", "原话"),
    "phase": ("Phase", "阶段"),
    "change": ("Change", "更改"),
    "users": ("Users", "用户数"),
    "ramp": ("Ramp up, users per second", "加压速度，每秒用户数"),
    "about": ("about", "约"),
    "nothing": ("none", "无"),
    "past": ("Past runs", "历次运行"),
    "newest_of": ("the newest {} of {}", "共 {1} 次，此处为最新的 {0} 次"),
    "no_past": ("There are no runs yet.", "尚无运行。"),
    "run": ("Run", "运行"),
    "begun": ("Started (UTC)", "开始时间（UTC）"),
    "mode": ("Mode", "模式"),
    "models": ("Models", "模型"),
    "sent": ("Sent", "已发送"),
    "succeeded": ("Succeeded", "成功"),
    "cost": ("Cost", "费用"),
    "files": ("Files", "文件"),
    "open": ("report", "报告"),
    "csv": ("CSV", "CSV"),
    "jsonl": ("JSONL", "JSONL"),
    "numbers": ("numbers", "数据"),
    "unfinished": ("ended early", "提前结束"),
    "no_report_of": ("no report", "无报告"),
    "compare": ("Compare the chosen runs", "比较所选运行"),
    "choose": ("choose", "选择"),
    "choose_two": (
        "Choose two runs or more that are listed; the oldest is the baseline.",
        "请选择列表中的两次或更多运行；最早的一次为基准。",
    ),
    "no_such_run": ("There is no run with that name.", "没有该名称的运行。"),
    "sorry": ("Not shown", "无法显示"),
    "back": ("Back to the runs", "返回历次运行"),
    "unreadable": (
        "The rows cannot be read: see Locust's log.",
        "无法读取记录：请查看 Locust 日志。",
    ),
}


def _in(lang: str, table: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    place = 1 if lang == "zh" else 0
    return {key: both[place] for key, both in table.items()}


def columns(lang: str, currency: str = "") -> dict[str, str]:
    """The Gateway tab's columns, in order: key and title."""
    titles = _in(lang, _COLUMNS)
    if currency:
        titles["cost"] += f", {currency}" if lang != "zh" else f"（{currency}）"
    return titles


def files(lang: str) -> dict[str, str]:
    """What can be downloaded or opened: its address below /gateway, and its title."""
    return _in(lang, _FILES)


def texts(lang: str) -> dict[str, str]:
    """Every other text."""
    return _in(lang, _TEXTS)
