"""The Chinese bank of moves: enough of everything, nothing that the review stops, and the turns that it tells apart."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from empathy_agent.safety.review import objection
from empathy_agent.turns import KINDS, moves, theme_of, turn_of
from hypothesis import given
from hypothesis import strategies as st

BANK = moves("zh")
THEMES = list(BANK["themes"])
# What the sentences of a part leave room for.
PLACES = {
    ("frames",): "{clause}",
    ("taken_up", "asked"): "{asked}",
    ("taken_up", "remembered"): "{clause}",
    ("taken_up", "back"): "{clause}",
    ("taken_up", "light"): "{clause}",
    ("taken_up", "corrected"): "{clause}",
}
ASKED = "该怎么跟她说"
CLAUSES = ("他是跟你最好的朋友在一起了", "你是奶奶带大的", "房子都看好了", "你妈说你不去不像话")

# (fewest of a theme, fewest of "general")
FEWEST = {"beliefs": (5, 5), "validations": (9, 14), "closings": (7, 13)}
FEWEST_TURNS = {
    "thanks": 12,
    "greeting": 8,
    "goodbye": 12,
    "anger_at_agent": 10,
    "short": 14,
    "small_talk": 8,
    "correction_without_clause": 6,
}
FEWEST_FRAMES = {"story": 14, "more": 14, "correction": 8, "good": 8}

TURNS = {
    "goodbye": [
        "那今天就先聊到这儿吧",
        "我要去接孩子了，拜拜",
        "好啦，晚安~",
        "先不说了，老板过来了",
        "嗯，我先去睡了",
        "下次再跟你聊",
        "再见，谢谢你陪我",
        "唔講喇，聽日仲要返工，早唞",
        "妈叫我吃饭了，先这样",
        "明天見囉",
        "我下线啦，改天再聊",
        "好的，那我去上班了，晚上再来",
        "嗯嗯拜拜",
        "困了，睡了",
        "不早了，我要睡觉了",
        "手机快没电了，先聊到这",
        "好，再见。",
        "好啦好啦，我去洗澡啦",
        "先聊到这，回头找你",
        "我得走了，车来了",
        "好的，晚安，做个好梦",
        "好，那下次见",
        "886",
        "室友回来了，不说了",
        "我要开会了，先撤",
        "今日傾到呢度先，拜拜",
        "那我先不打扰你了，拜",
        "好，我去睡啦，谢谢你今晚陪我",
        "时间不早了，先休息了，明天再说",
        "我去开会了，回聊",
        "拜拜啦，祝我好运",
    ],
    "thanks": [
        "谢谢你听我啰嗦这么久",
        "嗯，多谢",
        "跟你讲讲心里松快多了",
        "非常感谢，我会试试的",
        "唔該晒你",
        "謝謝，有被安慰到",
        "你真好，听你这么一说我踏实了",
        "谢谢谢谢！",
        "好的，谢谢，我明天就去找她",
        "太谢谢你了，没想到能说出来",
        "谢谢你愿意听",
        "好的呢，感谢",
        "谢谢！感觉没那么堵了",
        "你说得对，谢谢",
        "多谢晒，我舒服返啲",
        "嗯，谢谢你",
        "感谢你陪我聊到这么晚",
        "谢谢，说出来好多了",
        "好，我记住了，谢谢",
        "真的很感谢",
        "唔該",
        "謝謝你沒有笑我",
        "嗯嗯谢谢，我去试试",
        "谢谢你没有评判我",
        "有你真好，谢谢",
        "感恩遇见",
    ],
    "anger_at_agent": [
        "说是要住到过年。你刚才那话说得太轻了，我现在是真的火大",
        "你根本没在听我说什么",
        "什么破机器人，一点用都没有",
        "说这些有什么用",
        "你怎么老是重复这几句",
        "废话，这些我自己不会想吗",
        "別跟我講大道理",
        "你懂什么，你又没失过业",
        "人工智障",
        "答非所问，我问的是另外一件事",
        "我不是刚跟你说过了吗",
        "你太让我失望了",
        "你冇聽我講",
        "闭嘴吧你",
        "你是不是只会说这几句啊",
        "跟你说话真没意思",
        "不要再安慰我了，没用的",
        "你这不是废话吗",
        "算了，跟机器说也说不明白",
        "你一点都不懂",
        "又来了，又是这种话",
        "你怎么这么笨",
        "我都说了不是这个！",
        "你听不懂人话吗",
        "别给我灌鸡汤了",
        "什么垃圾",
        "你说的都是些没用的",
        "你能不能别老问我问题",
        "呵呵，你又知道什么",
        "气死我了，你到底有没有在听",
        "你個機械人好廢",
        "你这回答也太敷衍了吧",
        "说了半天等于没说",
        "你压根不知道我在说什么",
        "我不需要你的同情",
        "没用的东西",
    ],
    "correction": [
        "不是我男朋友，是我哥",
        "你理解错了，我没有辞职",
        "我说的不是考研，是考公",
        "不对，是上个星期的事",
        "等一下，我刚才打错了，是三月",
        "我不是那个意思",
        "是我姑姑，不是我妈",
        "我沒有這樣說",
        "你误会了，我跟她还没分手",
        "唔係，我講嘅係我細佬",
        "口误，是大姨",
        "不是的，我是说我妹妹，不是我",
        "你搞错了吧，我没有孩子",
        "不对不对，是去年",
        "我没说我要离婚啊",
        "说错了，是四月份",
        "我指的是上一份工作",
        "啊不是，是我打错了，是“舅舅”",
        "我说的是同事，不是朋友",
        "不是，我没有被开除，是我自己辞的",
        "没有没有，他不是我老公，是我前夫",
        "你把我说的弄反了，是他欠我钱",
        "纠正一下，我今年大三",
        "他不是我弟弟，是我堂弟",
        "不是这样的，是她先动的手",
        "我没说他打我",
        "不是前夫，是前男友",
        "我没有结婚，你记错了",
        "不对，我说的是我爸",
        "你弄错人了，那是我同学",
    ],
    "greeting": [
        "你好",
        "在吗",
        "嗨～",
        "晚上好，打扰了",
        "哈喽，有人吗？",
        "你好呀，第一次来这里",
        "早晨",
        "喂，你喺度嗎？",
        "现在方便聊聊吗？",
        "我又来啦",
        "請問有人在嗎？",
        "hello",
        "你好，我想找人聊聊",
        "hi，在吗",
        "晚上好",
        "早上好呀～",
        "嗨",
        "下午好，第一次用这个",
        "哈啰～",
        "有人在吗",
        "你好，请问这里可以聊天吗？",
        "哈喽哈喽",
        "晚上好呀，今天第一次用",
        "喂喂，在吗",
    ],
    "good_news": [
        "我考上了！！",
        "跟你说个好消息，面试过了",
        "今天好开心啊",
        "她终于肯理我了",
        "医生说是良性的，虚惊一场",
        "找到工作了！下周一报到",
        "我爸居然跟我道歉了",
        "我說了！她沒有生氣",
        "导师同意了，让我换课题",
        "我终于睡了个整觉",
        "我拿到offer啦！",
        "我们和好了！",
        "告诉你一个好消息，我爸出院了",
        "我今天特别开心，孩子第一次叫我妈妈",
        "我做到了！我跟老板说不了！",
        "体检结果出来了，一切正常！",
        "昨天居然一觉睡到天亮",
        "报告！我通过试用期了！",
        "今天老师夸我了，好开心！",
        "她回我消息了！",
        "驾照到手啦！",
        "爸爸的手术很成功！",
        "我终于敢拒绝他了",
        "我妈今天说她为我骄傲！",
        "面试通过啦！",
        "我瘦了十斤，好开心！",
        "我妈同意我学画画了！",
        "终于把论文交上去了！",
    ],
    "small_talk": [
        "今天外面下雪了，好大一片白",
        "哈哈哈我家猫刚从柜子上掉下来",
        "换个话题吧，我最近在种多肉",
        "吃了吗？",
        "对了，我刚看到一只三条腿的狗跑得飞快",
        "话说回来，楼下新开了家面馆",
        "我昨晚看了一部电影，讲火星的",
        "说点开心的，我外甥会叫人了",
        "今天天气真好",
        "哈哈，你还挺会说话",
        "说点别的吧",
        "刚刚下楼看到一只橘猫，胖得走不动",
        "今晚的月亮好圆",
        "哈哈哈哈笑死",
        "你在干嘛呢",
        "今天的晚霞特别好看",
        "哈哈我刚把盐当成糖放了",
    ],
    "short": [
        "嗯",
        "不知道",
        "随便吧",
        "是啊",
        "唉",
        "没有",
        "嗯嗯",
        "算了",
        "还好吧",
        "不想说",
        "也许吧",
        "嗯呢",
        "我不知道",
        "可能吧",
        "没什么",
        "算是吧",
        "嗯…",
        "不太想说",
        "没啥",
        "可能是吧",
    ],
    "story": [
        "我妈昨天又翻我手机，还说是为了我好。",
        "他走的时候连头都没回，我站在站台上站了一个小时。",
        "同事都去聚餐了，没有人叫我，我看见他们发的朋友圈才知道。",
        "最近老是睡不着，一闭眼就是那天的事，不知道该怎么办。",
        "他说你闭嘴，然后就把门摔上了。",
        "他怎么能这样啊，话都不说一句就走",
        "她问我是去还是不去呢，我没吭声",
        "我妈怎么说我都不听啊，现在后悔了",
        "老公让我滚，我抱着孩子在楼下坐到天亮。",
        "我跟他说了谢谢，他理都没理我就走了。",
        "我说错了话，整个饭桌都安静了，到现在想起来还脸红。",
        "公司裁员，我们组就留了两个人，我是走的那一个，房贷还有二十年。",
        "屋企人成日話我冇用，我都唔想返去。",
        "他问我“你怎么还不结婚？”",
        "凭什么每次都是我让着他？我也是这个家的孩子啊。",
        "上次在医院，医生冲我喊“你怎么才来？”，我当时眼泪就下来了。",
        "我被老板在群里批了，所有人都看见了。",
        "今天我妈来学校了，当着全班的面打了我一巴掌。",
        "他跟我说再见的时候，我就知道不会再见了。",
        "我先走了，他们还在那里笑。",
        "我们一直不说话，家里安静得像没人住。",
        "我去医院拿报告了，医生让我下周再来。",
        "他答应了又反悔，我像个傻子一样等了一晚上。",
        "孩子不听话，老师天天叫家长，我一边上班一边往学校跑。",
        "她说你真没用，连个工作都保不住。",
        "我不是不想努力，是真的太累了。",
        "不是每个人都有家可以回。",
        "没有人叫我，是我自己硬要去的。",
        "我考上了，可是我爸看都没看一眼录取通知书。",
        "我怀孕了，可是他说不想要。",
        "是我先提的分手，不是他。",
        "我想问问老天爷为什么这么对我们家。",
        "每次我想跟他谈谈，他都说“有什么好谈的？”",
        "我一直在想，如果当初没有来这个城市会怎么样。",
        "你知道那种站在人群里却觉得自己是透明的感觉吗？就是那样。",
        "我总觉得别人都在看我，是不是我哪里不对，每天都这样想，烦死了。",
        "爷爷的手越来越抖了，连筷子都拿不住。",
        "房东突然说要卖房，让我月底搬走。",
        "我妈又打电话来了，说谁谁家的孩子生了二胎。",
        "第一次见家长就搞砸了，他妈妈全程没有看我。",
        "昨天晚上我对着镜子练了很久，今天还是一句话都没说出来。",
        "他终于走了，我却哭不出来。",
        "看着别人都好开心，我更难受了。",
        "谢谢她当年收留我，可是现在她不认我了。",
        "我不知道该怎么跟我爸说，已经拖了一个星期。",
        "领导说我的方案通过了，但署的是别人的名字。",
        "单位食堂吃饭，我一坐下，旁边的人就端着盘子走了。",
        "女儿跟我说“妈妈你别管我”，我站在门口半天没动。",
        "他在电话那头一直说对不起，我不想听。",
        "我妈说谢谢我这些年照顾她，我当时就哭了。",
        "我爸走的那天下着雨，我没赶上。",
        "考研成绩出来了，差三分。",
        "我已经三个月没有来例假，也不敢去医院。",
        "我跟她说晚安，她已读不回。",
        "今天又被骂了，说我是废物。",
        "凌晨三点，又醒了，怎么都睡不着。",
        "我就想知道他到底有没有爱过我。",
        "我把工作辞了，家里人还不知道。",
        "说实话，我也不知道自己在难过什么。",
        "男朋友说先冷静一下，然后就再也没有回过我消息。",
        "孩子终于睡了，我才坐下来。",
        "她结婚了，新郎不是我。",
        "我不是本地人，在这里一个亲戚都没有。",
        "做完手术以后，胸口有一道很长的疤，我不敢照镜子。",
        "那天我没有接电话，后来就再也没机会了。",
        "她问我是不是嫌弃她，我说不是。",
        "班主任在群里点名说我拖后腿。",
        "公司年会，领导让我上台唱歌，我说了不会，他们还起哄。",
        "我真的好想谢谢那个陌生人，可是我没有他的电话。",
        "房子卖了，钱也还完了，可是家散了。",
        "我哥把爸妈的养老钱拿去炒币，全没了。",
        "搬来这个城市两年，手机里能打电话的人一个都没有。",
        "医生宣布的时候我还在停车场找车位。",
        "他把我送的围巾转手给了别人，我是在照片里看见的。",
        "儿子把房门反锁，三天只出来拿外卖。",
        "我怕开学，一想到那间教室我就肚子疼。",
        "她跟我说谢谢你，然后就把我删了。",
        "领导问我为什么迟到，我说不出话来。",
        "昨天同学会，大家都在聊房子车子，我一直低头剥虾。",
        "我也想过去道歉，可是每次走到门口又退回来。",
        "明明是他撞的我，交警来了他却说是我闯的红灯。",
        "从小我妈就说，要不是因为你，我早就离婚了。",
    ],
}
QUESTIONS = {
    "reply": [
        "微信里怎么回他才不显得我小气？",
        "开会的时候被点名，该怎么回答才不丢人？",
        "她再问我什么时候结婚，我该怎么说？",
        "那他要是不认账，我咋回？",
    ],
    "tell": [
        "我该怎么跟我爸妈说我不想考研了？",
        "这话怎么开口啊",
        "第一句说什么好？",
        "我怎么告诉她我要搬走？",
        "我想跟导师提换题目，怎么讲合适？",
        "我應該點同佢講？",
        "你说我第一句话怎么说，人家才不会觉得我是来吵架的？",
        "想跟老公谈谈，从哪里说起比较好？",
        "跟亲戚借钱怎么开口",
        "怎麼跟爸媽出櫃比較好？",
        "明天去探望她，我能说点什么让她好受一点？",
        "谢谢你。那我什么时候去说比较好？",
        "那我今晚回家要说些什么",
    ],
    "greet": [
        "明天在电梯里碰见他，我该怎么打招呼？",
        "聚会上见到前任要说什么？",
        "我该怎么面对那些亲戚？",
        "第一次去他家，见面说什么好？",
        "同學會上遇到他們該怎麼辦？",
    ],
    "refuse": [
        "怎么拒绝她才不伤感情？",
        "我妈又要给我安排相亲，我怎么回她？",
        "他老找我借钱，我该怎么说不？",
        "怎么才能让婆婆别再翻我的柜子？",
        "不想去婚礼，怎么推掉比较好？",
    ],
    "apologise": [
        "我该怎么跟她道歉？",
        "吵完架怎么和好？",
        "还能怎么弥补呢？",
        "點樣先可以挽回佢？",
        "我吼了孩子，现在怎么哄？",
        "怎么做才能让她原谅我？",
    ],
    "decide": [
        "是再考一年还是去找工作啊，我真的想不明白",
        "我是该留下还是该走？",
        "我要不要告诉她真相？",
        "这个工作我该不该辞？",
        "值得吗？",
        "他的生日礼物我还送不送？",
        "我應該去參加嗎？",
        "我该不该原谅我爸？",
        "如果她一直不回我消息，我还要继续等吗？",
        "我應唔應該同佢分手？",
        "要不要把真相告诉孩子呢？",
        "我应该主动联系他吗",
    ],
    "normal": [
        "我这样正常吗？",
        "我是不是太敏感了？",
        "为这点事哭，是不是很矫情？",
        "只有我会这样吗？",
        "我係咪好冇用？",
    ],
    "fault": [
        "是不是我的错？",
        "我到底做错了什么？",
        "你说都怪我吗？",
        "我是不是很自私？",
        "难道是我害了他？",
        "我是不是不该生下他？",
    ],
    "sleep": [
        "怎么才能睡着？",
        "睡不着怎么办？",
        "我心慌得厉害，怎么冷静下来？",
        "点样先瞓得着？",
        "有什么能让我平静一点？",
        "晚上一个人害怕怎么办？",
        "面试的时候紧张怎么办？",
    ],
    "thoughts": [
        "怎么才能忘记他？",
        "我什么时候才能走出来？",
        "怎样才能不去想这件事？",
        "老是想起那天，怎么办？",
        "我要怎麼放下？",
        "怎么才能让自己不想他",
        "點樣先可以唔諗佢？",
    ],
    "cope": [
        "现在一做数学卷子手就抖。怎么才能静下心来复习",
        "回家看到它的碗我就哭，这种难受要怎么熬过去啊",
        "我怎么坚持下去呢",
        "怎麼辦才不會那麼緊張啊",
        "我现在该怎么办？",
        "接下来怎么办啊？",
        "日子还怎么过？",
        "還有什麼辦法？",
        "房子退不了，我能怎么办？",
        "你能给我点建议吗？",
        "请问怎么才能不那么在意别人的看法？",
        "我该拿他怎么办？",
        "那我下一步怎么走？",
        "她哭了我该怎么办",
        "婆媳关系怎么处？",
    ],
    "why_other": [
        "为什么他要这样对我？",
        "她到底在想什么？",
        "为什么人可以说变就变？",
        "他怎么忍心？",
        "點解佢要呃我？",
        "为啥他们都不理我？",
        "为什么受伤的总是我？",
        "他是不是不爱我了？",
    ],
    "why_self": [
        "我为什么总是这么自卑？",
        "为什么我就是放不下？",
        "我怎么老是搞砸？",
        "為什麼我控制不住自己？",
        "點解我成日都係咁？",
    ],
    "future": [
        "会好起来吗？",
        "他还会回来吗？",
        "这种日子什么时候是个头？",
        "我们还有可能吗？",
        "以后会好的吧？",
        "我还有救吗？",
        "分手了还能做朋友吗？",
        "失恋多久能好？",
    ],
    "help": [
        "我怎么帮帮我闺蜜？",
        "室友一直哭，我该怎么安慰她？",
        "怎么劝我妈去看医生？",
        "我能为他做点什么？",
        "我點樣可以幫到我細佬？",
        "朋友得了重病，我要怎么安慰他？",
    ],
    "opinion": [
        "你怎么看？",
        "你觉得他是真心的吗？",
        "换成你会怎么做？",
        "你認為我做得對嗎？",
        "我这样做对吗？",
        "你觉得我适合当老师吗？",
        "你呢，你怎么想？",
    ],
    "judged": ["你会不会觉得我很烦？", "你是不是也觉得我没用？", "你会不会笑我？", "你不会嫌我啰嗦吧？"],
    "memory": [
        "你会记得我吗？我明天再来你还知道我外公的事不",
        "你会不会忘记我？",
        "我说的话会有谁看到我说的吗？",
        "你会告诉别人吗？",
    ],
    "joke": ["给我讲个笑话吧", "无聊，逗我笑一下", "来个段子"],
    "riddle": ["考你一个，什么鱼不能吃", "猜猜我今天吃了什么", "来个脑筋急转弯"],
    "self_of_agent": [
        "你是真人吗？",
        "你是谁？",
        "你会难过吗？",
        "你叫什么名字？",
        "你有感情吗？",
        "你有没有失眠过？",
        "你係咪機器人？",
        "你是男的还是女的",
        "你会一直在吗？",
        "老街坊我也舍不得。你会下棋不会？",
    ],
    "outside": [
        "明天天气怎么样？",
        "他这样算不算犯法？",
        "这个药能停吗？",
        "我是不是得了抑郁症？",
        "你知道去火车站坐几路车吗？",
        "離婚的話小孩會判給誰？",
        "公司不给赔偿合法吗？",
    ],
}


def _sentences(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _sentences(inner, (*path, name))
    elif path[0] not in ("either", "wording"):  # have other places, see test_choices.py and test_wording.py
        assert isinstance(value, list), path
        for sentence in value:
            assert isinstance(sentence, str), path
            yield path, sentence


SAID = [
    (path, sentence)
    for path, sentence in _sentences(
        {name: value for name, value in BANK.items() if name not in ("themes", "patterns", "question_types")}
    )
]


def test_there_is_enough_of_everything() -> None:
    for part, (fewest, of_general) in FEWEST.items():
        assert list(BANK[part]) == THEMES
        for theme, sentences in BANK[part].items():
            assert len(sentences) >= (of_general if theme == "general" else fewest), (part, theme)
    for name, fewest in FEWEST_TURNS.items():
        assert len(BANK["turns"][name]) >= fewest, name
    for name, fewest in FEWEST_FRAMES.items():
        assert len(BANK["frames"][name]) >= fewest, name
    assert set(BANK["answers"]) == {*BANK["question_types"], "request", "whether"}  # these have no words
    for name, parts in BANK["answers"].items():
        assert len(parts["first"]) >= 7, name
        assert len(parts["then"]) >= 6, name
    assert list(BANK["question_types"])[-1] == "cope"


def test_no_sentence_stands_twice() -> None:
    assert [sentence for sentence, times in Counter(sentence for _, sentence in SAID).items() if times > 1] == []


def test_no_digits_and_no_placeholders_but_in_frames() -> None:
    for path, sentence in SAID:
        assert not re.search(r"\d", sentence), sentence
        place = PLACES.get(path, PLACES.get(path[:1], ""))
        assert re.findall(r"\{.*?\}", sentence) == ([place] if place else []), sentence


def test_sentences_end_and_beliefs_do_not() -> None:
    for path, sentence in SAID:
        if path[0] in ("feelings", "good_feelings", "beliefs"):
            assert sentence[-1] not in "。？！，", sentence
        else:
            assert sentence.endswith(("。", "？", "！", "”")), sentence


def test_openings_vary() -> None:
    for theme, sentences in BANK["validations"].items():
        openings = Counter(sentence[:2] for sentence in sentences)
        assert openings["难怪"] <= 2, theme
        assert openings.most_common(1)[0][1] <= 3, (theme, openings.most_common(1))


def test_the_review_stops_none() -> None:
    stopped = []
    for path, sentence in SAID:
        if path[0] == "beliefs":
            sentence = f"你可能在想，{sentence}。"
        for clause in CLAUSES if "{clause}" in sentence else ("",):
            said = sentence.replace("{clause}", clause).replace("{asked}", ASKED)
            if reason := objection(said, "zh"):
                stopped.append((said, reason))
    assert stopped == []


def test_goodbyes_ask_nothing_and_thanks_give_no_advice() -> None:
    assert [reply for reply in BANK["turns"]["goodbye"] if "？" in reply] == []
    assert [reply for reply in BANK["turns"]["thanks"] if re.search("可以试|建议|不妨|应该试|试着", reply)] == []


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in TURNS.items() for text in texts])
def test_a_message_is_the_turn_that_it_is(kind: str, text: str) -> None:
    assert turn_of(text, "zh").kind == kind


@pytest.mark.parametrize(("question", "text"), [(name, text) for name, texts in QUESTIONS.items() for text in texts])
def test_a_question_is_of_its_type(question: str, text: str) -> None:
    assert (turn_of(text, "zh").kind, turn_of(text, "zh").question) == ("question", question)


@pytest.mark.parametrize(
    ("theme", "text"),
    [
        ("loss", "外婆去世快一年了，她的遗物我还没敢动。"),
        ("loss", "養了十二年的狗狗走了，家裡好安靜。"),
        ("betrayal", "他出轨了，对象还是我闺蜜。"),
        ("breakup", "前男友把我拉黑了，连最后一句话都没让我说完。"),
        ("illness", "确诊以后，每次复查前都整夜地抖。"),
        ("caring", "我妈住院，陪护的一直只有我。"),
        ("work", "被裁员之后投了上百份简历，一个面试都没有。"),
        ("study", "高考成绩出来了，比模考低了很多。"),
        ("family", "我爸妈一吵架就让我站队。"),
        ("friends", "宿舍的人建了新的小群，就我不在里面，被孤立了。"),
        ("loneliness", "一个人住，病了也没人问一句，很孤独。"),
        ("money", "网贷逾期，催收天天打电话。"),
        ("identity", "我还没有出柜，每天都在演另一个人。"),
        ("guilt", "我很内疚，那句重话收不回来了。"),
        ("anger", "凭什么？太过分了，气死我了。"),
        ("worry", "每天都很焦虑，晚上失眠。"),
        ("general", "嗯，就那样吧。"),
    ],
)
def test_themes(theme: str, text: str) -> None:
    assert theme_of([text] * 2, "zh") == theme


@pytest.mark.parametrize(
    "text", ["再见了，这个世界", "谢谢你们，永别了", "遗书终于写好了", "这是我最后一次跟你说话了，再见"]
)
def test_a_farewell_to_the_world_is_no_goodbye(text: str) -> None:
    assert turn_of(text, "zh").kind not in ("goodbye", "thanks", "good_news")


@given(st.text(alphabet="你我他不是说谢再见怎么办吗？?！。，,了吧好在“”谁 没", max_size=400))
def test_any_text_is_a_turn(text: str) -> None:
    turn = turn_of(text, "zh")
    assert turn.kind in KINDS
    assert (turn.question in BANK["answers"]) == (turn.kind == "question")


@pytest.mark.parametrize("piece", ["谢谢", "你说", "“为什么", "不是我，", "我先", "怎么跟", "好", "他，", "终于"])
def test_long_texts_take_no_long_time(piece: str) -> None:
    began = time.monotonic()
    turn_of(piece * (20_000 // len(piece)), "zh")
    assert time.monotonic() - began < 5
