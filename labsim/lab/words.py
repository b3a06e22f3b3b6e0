"""The coach's sentences, in three languages."""

from __future__ import annotations

from labsim.text import Text, tr

CONNECTED = tr("{client} connected over {protocol}.", "{client} 以 {protocol} 連入。", "{client} 以 {protocol} 连入。")
LEFT = tr("{client} left {protocol}.", "{client} 斷開了 {protocol}。", "{client} 断开了 {protocol}。")
GOOD = tr("good", "成功", "成功")

LINK_STATES: dict[str, Text] = {
    "slow": tr("slow", "延遲", "延迟"),
    "throttle": tr("throttled", "限速", "限速"),
    "black-hole": tr("a black hole", "黑洞（收下數據而無應答）", "黑洞（收下数据而无应答）"),
    "flap": tr("flapping", "時斷時續", "时断时续"),
    "reset": tr("being reset", "連接被重置", "连接被重置"),
    "refuse": tr("refusing new connections", "拒絕新連接", "拒绝新连接"),
}
LINK_BEGIN = tr(
    "The link to {endpoint} is {state}.", "通往 {endpoint} 的鏈路：{state}。", "通往 {endpoint} 的链路：{state}。"
)
LINK_END = tr(
    "The link to {endpoint} is no longer {state}.",
    "通往 {endpoint} 的鏈路已恢復（{state}結束）。",
    "通往 {endpoint} 的链路已恢复（{state}结束）。",
)
FAULT_BEGIN = tr("Fault at {target}: {fault}.", "{target} 出現故障：{fault}。", "{target} 出现故障：{fault}。")
FAULT_END = tr("Fault at {target} is over: {fault}.", "{target} 故障消除：{fault}。", "{target} 故障消除：{fault}。")
PAUSED = tr("The plant is paused.", "工廠已暫停。", "工厂已暂停。")
RESUMED = tr("The plant goes on.", "工廠繼續運行。", "工厂继续运行。")

DISK = tr(
    "The plant is paused: {place} could not be written ({reason}). Free space on that disk or make the folder writable; "
    "the lab then goes on by itself.",
    "工廠已暫停：無法寫入 {place}（{reason}）。請在該磁盤上騰出空間，或使文件夾可寫；之後實驗會自動繼續。",
    "工厂已暂停：无法写入 {place}（{reason}）。请在该磁盘上腾出空间，或使文件夹可写；之后实验会自动继续。",
)

TABLES: dict[str, Text] = {
    "holding": tr("holding register", "保持寄存器", "保持寄存器"),
    "input": tr("input register", "輸入寄存器", "输入寄存器"),
    "coil": tr("coil", "線圈", "线圈"),
    "discrete": tr("discrete input", "離散量輸入", "离散量输入"),
}
EXCEPTIONS: dict[int, Text] = {
    1: tr("function not supported", "不支持該功能碼", "不支持该功能码"),
    2: tr("no such address", "地址不存在", "地址不存在"),
    3: tr("value not allowed", "數值不允許", "数值不允许"),
    4: tr("device failure", "設備故障", "设备故障"),
    6: tr("device busy", "設備忙", "设备忙"),
    11: tr("gateway: no response", "網關：目標無應答", "网关：目标无应答"),
}
MODBUS_READ = tr(
    "You read {table} at address {address}, count {count}, from {device} (unit {unit}, FC{fc})",
    "你從 {device}（單元 {unit}，FC{fc}）讀取{table}，地址 {address}，數量 {count}",
    "你从 {device}（单元 {unit}，FC{fc}）读取{table}，地址 {address}，数量 {count}",
)
MODBUS_POLLED = tr(
    "You keep reading {table} at address {address}, count {count}, from {device} (unit {unit}, FC{fc})",
    "你反覆從 {device}（單元 {unit}，FC{fc}）讀取{table}，地址 {address}，數量 {count}",
    "你反复从 {device}（单元 {unit}，FC{fc}）读取{table}，地址 {address}，数量 {count}",
)
UA_POLLED = tr("You keep reading {nodes}", "你反覆讀取 {nodes}", "你反复读取 {nodes}")
POLLS = tr("{n} times in this second", "這一秒內 {n} 次", "这一秒内 {n} 次")
POLLS_EVERY = tr(
    "{n} times in this second, {shortest} to {longest} ms apart",
    "這一秒內 {n} 次，間隔 {shortest} 至 {longest} ms",
    "这一秒内 {n} 次，间隔 {shortest} 至 {longest} ms",
)
MODBUS_WROTE = tr(
    "You wrote {table} at address {address}, count {count}, to {device} (unit {unit}, FC{fc})",
    "你向 {device}（單元 {unit}，FC{fc}）寫入{table}，地址 {address}，數量 {count}",
    "你向 {device}（单元 {unit}，FC{fc}）写入{table}，地址 {address}，数量 {count}",
)
MODBUS_OTHER = tr(
    "You sent function code {fc} to {device} (unit {unit})",
    "你向 {device}（單元 {unit}）發送了功能碼 {fc}",
    "你向 {device}（单元 {unit}）发送了功能码 {fc}",
)
EXCEPTION = tr("exception {code}, {meaning}", "異常碼 {code}：{meaning}", "异常码 {code}：{meaning}")
NO_UNIT = tr(
    "You asked unit {unit}; nobody answered.",
    "你詢問了單元 {unit}；沒有設備應答。",
    "你询问了单元 {unit}；没有设备应答。",
)
NO_UNIT_ADVICE = tr(
    "Nobody has this unit id here; a real bus stays silent too. Compare it with the endpoint list.",
    "這裡沒有該單元號；真實總線上同樣沒有應答。請與端點列表核對。",
    "这里没有该单元号；真实总线上同样没有应答。请与端点列表核对。",
)
HTTP_ASKED = tr(
    "You sent {method} {path}: {code}", "你發送了 {method} {path}：{code}", "你发送了 {method} {path}：{code}"
)
NTP_ASKED = tr(
    "{client} asked {device} for the time.", "{client} 向 {device} 詢問了時間。", "{client} 向 {device} 询问了时间。"
)
HTTP_ADVICE: dict[int, Text] = {
    401: tr(
        "This service wants an account, sent as HTTP Basic; the endpoint list has it.",
        "該服務要求以 HTTP Basic 發送賬號；賬號見端點列表。",
        "该服务要求以 HTTP Basic 发送账号；账号见端点列表。",
    ),
    403: tr(
        "Your account is known, but its role may not do this.",
        "賬號有效，但其角色無權執行此操作。",
        "账号有效，但其角色无权执行此操作。",
    ),
    404: tr(
        "The path is not there. /openapi.json lists every route of this server.",
        "該路徑不存在。/openapi.json 列出了此服務器的全部路由。",
        "该路径不存在。/openapi.json 列出了此服务器的全部路由。",
    ),
    405: tr(
        "The path is right and the verb is not; the Allow header of the answer says which it takes.",
        "路徑正確而方法不對；應答的 Allow 標頭列出了可用的方法。",
        "路径正确而方法不对；应答的 Allow 标头列出了可用的方法。",
    ),
    415: tr(
        "The body was not announced as JSON: send the header Content-Type: application/json.",
        "請求體沒有聲明為 JSON：請發送標頭 Content-Type: application/json。",
        "请求体没有声明为 JSON：请发送标头 Content-Type: application/json。",
    ),
    422: tr(
        "The JSON is well formed but not what this route wants; the answer names the field.",
        "JSON 格式正確，但不是該路由所要的內容；應答中指明了字段。",
        "JSON 格式正确，但不是该路由所要的内容；应答中指明了字段。",
    ),
}
TLS_FAILED = tr(
    "A client was not let in over {protocol}; {reason}.",
    "一個客戶端未能以 {protocol} 連入；{reason}。",
    "一个客户端未能以 {protocol} 连入；{reason}。",
)
NOT_MODBUS = tr(
    "{client} sent something that is not Modbus TCP; the device hung up.",
    "{client} 發送的不是 Modbus TCP；設備斷開了連接。",
    "{client} 发送的不是 Modbus TCP；设备断开了连接。",
)
ADVICE_40001 = tr(
    'You sent {number} as the address. {first} is a way to write "the first of this table"; on the wire the first one is 0, '
    "so {number} means address {address}. This device's manual counts from {numbering}.",
    "你把 {number} 當作地址發送。{first} 是「該表第一個」的寫法；協議中的第一個是 0，因此 {number} 對應地址 {address}。"
    "本設備的手冊從 {numbering} 開始編號。",
    "你把 {number} 当作地址发送。{first} 是“该表第一个”的写法；协议中的第一个是 0，因此 {number} 对应地址 {address}。"
    "本设备的手册从 {numbering} 开始编号。",
)
ADVICE_NUMBERING = tr(
    "The manual's numbers begin at {first}, the wire counts from 0: manual number {number} is address {address}.",
    "手冊編號從 {first} 開始，協議從 0 計數：手冊編號 {number} 對應地址 {address}。",
    "手册编号从 {first} 开始，协议从 0 计数：手册编号 {number} 对应地址 {address}。",
)
ADVICE_HOLE = tr(
    "Part of what you asked for is not in the register map. Look at the table in the datasheet, and at the base register.",
    "你請求的部分地址不在寄存器表中。請查看手冊中的點表以及起始寄存器。",
    "你请求的部分地址不在寄存器表中。请查看手册中的点表以及起始寄存器。",
)
ADVICE_READ_ONLY = tr(
    "This register cannot be written. The datasheet's access column says which can.",
    "該寄存器不可寫。手冊的訪問權限一欄說明哪些可寫。",
    "该寄存器不可写。手册的访问权限一栏说明哪些可写。",
)
ADVICE_COUNT = tr(
    "The count or the value is outside what the function allows: 1 to 125 registers in one read, and a value within its range.",
    "數量或數值超出該功能碼的允許範圍：一次可讀 1 到 125 個寄存器，數值須在量程內。",
    "数量或数值超出该功能码的允许范围：一次可读 1 到 125 个寄存器，数值须在量程内。",
)
ADVICE_FUNCTION = tr(
    "This device does not know function code {fc}. The datasheet lists the tables it has.",
    "該設備不支持功能碼 {fc}。手冊列出了它的數據表。",
    "该设备不支持功能码 {fc}。手册列出了它的数据表。",
)

UA_SESSION = tr(
    "{who} opened a session ({policy}, {mode}).",
    "{who} 建立了會話（{policy}，{mode}）。",
    "{who} 建立了会话（{policy}，{mode}）。",
)
UA_REJECT = tr(
    "The server refused {service}: {reason}.",
    "服務器拒絕了 {service}：{reason}。",
    "服务器拒绝了 {service}：{reason}。",
)
UA_CERTIFICATE_REFUSED = tr(
    "The server refused the certificate of {subject}: {reason}. Thumbprint {thumb}.",
    "服務器拒絕了 {subject} 的證書：{reason}。指紋 {thumb}。",
    "服务器拒绝了 {subject} 的证书：{reason}。指纹 {thumb}。",
)
UA_CERTIFICATE_TRUSTED = tr(
    "The server now trusts the certificate of {subject}. Thumbprint {thumb}.",
    "服務器現已信任 {subject} 的證書。指紋 {thumb}。",
    "服务器现已信任 {subject} 的证书。指纹 {thumb}。",
)
UA_CERTIFICATE_CHANGED = tr(
    "A management client changed the certificate of {subject} ({action}). Thumbprint {thumb}.",
    "管理客戶端更改了 {subject} 的證書（{action}）。指紋 {thumb}。",
    "管理客户端更改了 {subject} 的证书（{action}）。指纹 {thumb}。",
)
ADVICE_REJECTED = tr(
    "A server on a plant floor keeps what it refuses for a person to look at. This one does so in the folder pki of the attempt.",
    "現場的服務器會保留被拒絕的證書供人查看。本服務器把它們存放在本次練習的 pki 文件夾中。",
    "现场的服务器会保留被拒绝的证书供人查看。本服务器把它们存放在本次练习的 pki 文件夹中。",
)
UA_BROWSE = tr("You browsed {nodes}.", "你瀏覽了 {nodes}。", "你浏览了 {nodes}。")
UA_READ = tr("You read {nodes}.", "你讀取了 {nodes}。", "你读取了 {nodes}。")
UA_WROTE = tr("You wrote {value} to {node}", "你向 {node} 寫入 {value}", "你向 {node} 写入 {value}")
UA_SUBSCRIBE = tr(
    "You subscribed to {node}: sampled every {sampling} ms, published every {publishing} ms.",
    "你訂閱了 {node}：採樣 {sampling} ms，發佈 {publishing} ms。",
    "你订阅了 {node}：采样 {sampling} ms，发布 {publishing} ms。",
)
UA_UNSUBSCRIBE = tr("You ended a subscription.", "你結束了訂閱。", "你结束了订阅。")
UA_ACKNOWLEDGED = tr("You acknowledged the alarm {alarm}", "你確認了報警 {alarm}", "你确认了报警 {alarm}")
UA_ALARM_ACT = tr(
    "You did something with the alarm {alarm}: {action}",
    "你對報警 {alarm} 執行了操作：{action}",
    "你对报警 {alarm} 执行了操作：{action}",
)
ADVICE_EVENT_ID = tr(
    "An acknowledgement names the EventId of an event of this alarm since it became active last; take it from the last event.",
    "確認須給出該報警最近一次觸發以來某個事件的 EventId；請取最近事件中的值。",
    "确认须给出该报警最近一次触发以来某个事件的 EventId；请取最近事件中的值。",
)
UA_HISTORY = tr(
    "You read the history of {nodes}: {what}, {count} values.",
    "你讀取了 {nodes} 的歷史：{what}，{count} 個值。",
    "你读取了 {nodes} 的历史：{what}，{count} 个值。",
)
UA_CALL = tr("You called {method}", "你調用了 {method}", "你调用了 {method}")
ADVICE_ROLE = tr(
    "This user may read but not write. The endpoint list shows which user has which role.",
    "該用戶只能讀取，不能寫入。端點列表說明了各用戶的角色。",
    "该用户只能读取，不能写入。端点列表说明了各用户的角色。",
)
ADVICE_TYPE = tr(
    "The node has another data type than the value you sent. Read its DataType attribute first.",
    "節點的數據類型與你寫入的值不同。請先讀取其 DataType 屬性。",
    "节点的数据类型与你写入的值不同。请先读取其 DataType 属性。",
)
ADVICE_POLLING = tr(
    "You read this node every {every} ms. A subscription would tell you when it changes.",
    "你每 {every} ms 讀一次這個節點。訂閱會在它變化時通知你。",
    "你每 {every} ms 读一次这个节点。订阅会在它变化时通知你。",
)

MQ_REFUSED = tr(
    "The broker refused {who} (return code {code}).",
    "代理拒絕了 {who}（返回碼 {code}）。",
    "代理拒绝了 {who}（返回码 {code}）。",
)
MQ_PUBLISH = tr(
    "{who} published on {topic} (QoS {qos}) → {payload}",
    "{who} 向 {topic} 發佈（QoS {qos}）→ {payload}",
    "{who} 向 {topic} 发布（QoS {qos}）→ {payload}",
)
MQ_CALLED = tr(
    "{who} sent {device} {topic}: {result}",
    "{who} 向 {device} 發送 {topic}：{result}",
    "{who} 向 {device} 发送 {topic}：{result}",
)
MQ_WROTE = tr("{who} set {tag} to {value}", "{who} 將 {tag} 設為 {value}", "{who} 将 {tag} 设为 {value}")
MQ_SUBSCRIBE = tr(
    "{who} subscribed to {topic} (QoS {qos}).",
    "{who} 訂閱了 {topic}（QoS {qos}）。",
    "{who} 订阅了 {topic}（QoS {qos}）。",
)
MQ_TAKEOVER = tr(
    "Another client took the name {who}; the older one was dropped.",
    "另一個客戶端使用了 {who} 這個名字；先前的已被斷開。",
    "另一个客户端使用了 {who} 这个名字；先前的已被断开。",
)
MQ_TIMEOUT = tr(
    "{who} was silent for too long and was dropped.", "{who} 長時間無響應，已被斷開。", "{who} 长时间无响应，已被断开。"
)
MQ_DENY = tr("{who} may not use {topic}.", "{who} 無權使用 {topic}。", "{who} 无权使用 {topic}。")
MQ_REJECT = tr("{who} broke the protocol: {reason}.", "{who} 違反了協議：{reason}。", "{who} 违反了协议：{reason}。")
MQ_DROP = tr(
    "{who} reads too slowly; {lost} messages for it were dropped.",
    "{who} 讀取過慢；已丟棄發給它的 {lost} 條消息。",
    "{who} 读取过慢；已丢弃发给它的 {lost} 条消息。",
)
ADVICE_LOGIN = tr(
    "Look at the user name and password in the endpoint list.",
    "請核對端點列表中的用戶名和密碼。",
    "请核对端点列表中的用户名和密码。",
)
ADVICE_RETAIN = tr(
    "An empty retained message clears what was retained on that topic.",
    "空的保留消息會清除該主題上保留的內容。",
    "空的保留消息会清除该主题上保留的内容。",
)
ADVICE_HASH = tr(
    "A bare # gives you every message of the broker. A narrower filter is easier to read and to secure.",
    "單獨的 # 會收到代理上的所有消息。更窄的過濾器更易讀，也更安全。",
    "单独的 # 会收到代理上的所有消息。更窄的过滤器更易读，也更安全。",
)
ADVICE_TAKEOVER = tr(
    'Two clients call themselves "{who}"; the broker drops the first whenever the second arrives.',
    "兩個客戶端都叫「{who}」；後者一連上，代理就斷開前者。",
    "两个客户端都叫“{who}”；后者一连上，代理就断开前者。",
)

ANSWERED = tr("Your answer to {task} was kept.", "已記錄你對 {task} 的回答。", "已记录你对 {task} 的回答。")
HINTED = tr("You opened a hint for {task}.", "你打開了 {task} 的提示。", "你打开了 {task} 的提示。")
SETTING = tr("{setting} of {device} was changed.", "已更改 {device} 的 {setting}。", "已更改 {device} 的 {setting}。")
INCIDENT = tr("Incident: {reason}.", "異常事件：{reason}。", "异常事件：{reason}。")
