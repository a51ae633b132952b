"""Operator errors of `engine`, `recording` and the locustfile in Chinese."""

from collections.abc import Mapping

ENGINE: Mapping[str, str] = {
    "--tags finds no task: remove it, --mode chooses what is sent.": "--tags 找不到任务：请去掉，发送什么由 --mode 决定。",
    "--extra-body contains a secret that every file of the run would show: put it into --header.": "--extra-body 含有密钥，会出现在运行的每个文件中：请改用 --header。",
    "--resume … is not a run that can be resumed (…): give the folder of one.": "--resume {0} 不是可以续跑的运行（{1}）：请给出运行目录。",
    "--resume …: its manifest.json has no options, so it cannot be resumed: restore the file, or "
    "start a new run.": "--resume {0}：其 manifest.json 没有选项，无法续跑：请恢复该文件，或开始新的运行。",
    "mode … runs in one process: leave --master, --worker and --processes out.": "{0} 模式在单个进程中运行：请去掉 --master、--worker 和 --processes。",
    "--resume …: this version plans that run differently (…), and would pay for some of it twice: "
    "use the version that made it, or start a new run.": "--resume {0}：当前版本对该运行的计划不同（{1}），续跑会重复付费：请使用生成它的版本，或开始新的运行。",
    "--resume …: … is not the file that the run sent: restore the file, or start a new run.": "--resume {0}：{1} 不是该运行发送时的文件：请恢复该文件，或开始新的运行。",
    "… requests in flight need … open files, and this process may have …: raise ulimit -Hn, or "
    "lower the concurrency (--max-workers, --steps).": "同时进行 {0} 个请求需要 {1} 个打开的文件，而本进程上限为 {2}：请提高 ulimit -Hn，或降低并发"
    "（--max-workers、--steps）。",
    "the locustfile holds … shapes (…): leave one of them.": "locustfile 中有 {0} 个 shape（{1}）：请只保留一个。",
    "the locustfile holds …: Weighbridge plans and records requests of … alone, so remove it, or "
    "run it in a Locust of its own.": "locustfile 中有 {0}：Weighbridge 只计划和记录 {1} 的请求，请删除它，或单独用 Locust 运行。",
    "the locustfile's shape … works only with --mode interactive: mode … sizes its users by its "
    "own plan, so remove the shape or change the mode.": "locustfile 中的 shape {0} 只能用于 --mode interactive：{1} 模式按自己的计划决定用户数，"
    "请删除该 shape 或更换模式。",
    "… is neither an option nor a user class: write --name VALUE, and several values with commas "
    "between.": "{0} 既不是选项也不是用户类：请写 --name VALUE，多个值之间用逗号分隔。",
    "the gateway at … cannot be reached (…): …": "无法连接网关 {0}（{1}）：{2:+}",
    "--resume …: nothing of it is left to send, so report it.": "--resume {0}：已没有可发送的请求，请直接生成报告。",
    "--resume needs --headless: a resumed run keeps its own options, so the web UI's form could not set any.": "--resume 需要 --headless：续跑沿用该运行自己的选项，网页表单无法设置。",
    "--cancel-after … cannot be used: write 3chunks, 500ms or 2s, or 0chunks for before the first "
    "token.": "--cancel-after {0} 无法使用：请写 3chunks、500ms 或 2s；0chunks 表示首个 token 之前。",
    "the disk of … is full (No space left on device): make room, or give another --results.": "{0} 所在磁盘已满（No space left on device）：请腾出空间，或换一个 --results。",
    "the run folder … cannot be made (…): give another --results.": "无法创建运行目录 {0}（{1}）：请换一个 --results。",
    "the run folder … exists: give another --run-id or --results.": "运行目录 {0} 已存在：请换一个 --run-id 或 --results。",
    "… … cannot be written (…): give another path.": "无法写入 {0} {1}（{2}）：请给出其他路径。",
    # What ends "the gateway cannot be reached" (engine/connection_advice.py):
    "check the base URL, and that the gateway is up.": "请检查 base URL 以及网关是否在运行。",
    "its certificate is for another host name: check the base URL.": "其证书属于其他主机名：请检查 base URL。",
    "its certificate is not for this address: use the gateway's host name.": "其证书不适用于该地址：请使用网关的主机名。",
    "its certificate has expired: it must be renewed there.": "其证书已过期：须由对方更新。",
    "its certificate is from an authority that is not trusted here: give your company's bundle "
    "(PEM) with --ca-file, or in SSL_CERT_FILE.": "其证书的颁发机构在本机不受信任：请用 --ca-file 或 SSL_CERT_FILE 给出公司的证书包（PEM）。",
    "it asks for a certificate of ours: give --client-cert and --client-key.": "对方要求客户端证书：请给出 --client-cert 和 --client-key。",
    "it does not accept our certificate: see to --client-cert and --client-key.": "对方不接受客户端证书：请检查 --client-cert 和 --client-key。",
    "it does not accept our certificate, which is from an authority it does not know: see to "
    "--client-cert.": "对方不认识客户端证书的颁发机构：请检查 --client-cert。",
    "it ends the TLS handshake: it may ask for a certificate of ours (--client-cert, "
    "--client-key).": "对方终止了 TLS 握手：可能需要客户端证书（--client-cert、--client-key）。",
    "the proxy forbids this host: have it allowed, or name it in NO_PROXY if it can be reached "
    "without.": "代理禁止访问该主机：请申请放行；若无需代理即可访问，请写入 NO_PROXY。",
    "it answers without TLS: does the base URL begin with http://, or the proxy of HTTPS_PROXY?": "对方的应答没有 TLS：base URL 或 HTTPS_PROXY 中的代理是否应以 http:// 开头？",
    "the proxy … requires a login (HTTP 407): set HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT "
    "(HTTP_PROXY for an http gateway), with special characters percent-encoded.": "代理 {0} 需要登录（HTTP 407）：请设置 HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"
    "（http 网关用 HTTP_PROXY），特殊字符须百分号编码。",
    "the connection goes to the proxy … of the environment: check HTTPS_PROXY (HTTP_PROXY for an "
    "http gateway), or name the host in NO_PROXY if it can be reached without.": "连接经由环境变量中的代理 {0}：请检查 HTTPS_PROXY（http 网关用 HTTP_PROXY）；"
    "若无需代理即可访问，请把主机写入 NO_PROXY。",
}
