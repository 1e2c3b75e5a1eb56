# ruff: noqa: E501 - a pattern that is cut in two is harder to read than a long line
"""What the crisis gate looks for, in normalised text (see ``normalise.py``).

The lists come from the warning signs that suicide-prevention bodies publish (talk of wanting to die, of a plan or
means, of being a burden, farewells) and from how such things are said in Chinese and English; they are not a validated
instrument. They are data: add a phrase here and a case to ``test_safety_gate.py``.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a finding is about."""

    SELF = "self"  # suicide and self-harm
    OTHERS = "others"  # harm to others
    HARMED = "harmed"  # being harmed now


class Risk(enum.IntEnum):
    """Levels of ``imuface_interfaces/EmpathyReply``."""

    NONE = 0
    CONCERN = 1
    CRISIS = 2


@dataclass(frozen=True)
class Rule:
    """A phrase, what it is about, and how grave it is when the person says it of themselves, now, in earnest."""

    kind: Kind
    risk: Risk
    pattern: re.Pattern[str]


def _rules(kind: Kind, risk: Risk, *patterns: str) -> list[Rule]:
    return [Rule(kind, risk, re.compile(pattern)) for pattern in patterns]


# Everyday phrases that hold the words of a crisis. They are taken out before the rules are applied.
IDIOMS = re.compile(
    "|".join(
        [
            # 累死了, 笑死我了, 想死你了: "to death" as "very"
            r"(?:累|笑|气|烦|饿|渴|困|热|冷|冻|吵|疼|痛|痒|急|忙|吓|美|爽|高兴|开心|尴尬|羞|丑|贵|撑|馋|无聊|难吃|臭|挤|酸|辣|甜|爱|恨|讨厌|羡慕|嫉妒|担心|心疼|闷|憋|恶心|可爱|好吃)死(?!了算|掉算)(?:我|人|个人|宝宝)?(?:了|啦|咯)?",
            r"(?:累|笑|气|烦|饿|渴|困|热|冷|冻|吵|疼|痒|急|忙|吓|贵|挤|酸|臭|难吃|无聊|尴尬)得(?:我|人)?快?要死(?!了算|掉算)",
            r"想死你(?:们)?了?|想死(?:我)?(?:妈妈|爸爸|奶奶|家)了?|死党|死机|死板|死心眼|死记硬背|死磕|死鬼|死扛|死撑|死活|死角|死循环|死线|死忠|死对头|死皮赖脸|死缠烂打|生死之交|要死要活|半死不活|该死的?|死亡率|打死也?不|死也(?:要|不会)(?=[^活])|怕死|见死不救|起死回生|死气沉沉|死去活来|赶死|死定了|社死|作死|死脑筋|死胡同|死肥宅|死宅",
            r"杀青|杀价|秒杀|杀手锏|杀毒|抹杀|扼杀|杀时间|杀猪盘|狼人杀|剧本杀|三国杀|自杀式|自杀热线|预防自杀|自杀预防|自杀干预|杀鸡",
            r"跳楼价|跳楼大甩卖|跳楼机|伤不起|割韭菜|割舍|割席|打死结|砍价|砍单",
            r"\b(?:dying|dead|die|died) (?:to|for) (?:see|meet|know|hear|try|go|eat|get|find|read|watch|tell|show|visit|a|an|some|the|chocolate|coffee)\b",
            r"\b(?:die|died|dying|dead) (?:of|from) (?:laugh\w*|laughter|embarrassment|boredom|shame|curiosity|happiness|excitement)\b",
            r"\bto die for\b|\b(?:almost|nearly) died (?:laughing|of)\b|\bdied (?:laughing|inside)\b",
            r"\bkill(?:ing|ed|s)? (?:time|it|the (?:mood|vibe|lights?|engine|process|server|job|deal|weeds|bugs?|game|presentation)|two birds|an? (?:hour|few hours|afternoon|process|job))\b",
            r"\b(?:my|these|the) (?:\w+ ){0,2}(?:feet|foot|back|shoes|head|legs?|knees?|boots|heels|commute|traffic|suspense|heat|homework|workload)(?: (?:is|are|was|were))? killing me\b|\bsuspense is killing\b",
            r"\b(?:mum|mom|dad|wife|husband|boss|parents?|teacher|she|he|they)(?: (?:is|are))? (?:gonna|going to|will|would|'ll|'d) (?:kill|murder) me (?:if|when|for|over)\b",
            r"\b(?:dressed|drop dead) (?:to kill|gorgeous)\b|\bkill for (?:a|an|some|that|this)\b|\bkillers?\b|\bdead(?:line|lines|lock|lift\w*|pan|beat)\b",
            r"\bover my dead body\b|\bdead (?:tired|serious|on my feet|battery|end|phone)\b|\bsuicide (?:prevention|hotline|squad|awareness|door|mission)\b",
            r"\bwouldn't be caught dead\b|\b(?:phone|battery|car|laptop|plant|plants) (?:is |are )?(?:dying|died|dead)\b|\bkms (?:per|an|away|a day|of|run|later|from|to)\b|\b\d+ ?kms\b",
            r"\bend (?:it|things) (?:with|between)\b|\bcut(?:ting)? (?:myself|me) (?:some slack|a (?:slice|piece|break)|off|while (?:cooking|shaving|chopping))\b|\bcut myself (?:on|shaving|while|when)\b",
        ]
    )
)

_WANT = r"(?:想要?|要|打算|准备|决定|计划|考虑|恨不得|忍不住想|只想|真想|好想)"
_SUICIDE = r"(?:自杀|自尽|自我了断|轻生|寻短见|寻死|自鲨|自沙|自s|zisha|zi sha|zs)"
_MEANS = r"(?:跳楼(?!梯|机|价)|跳桥|跳河|跳江|跳海|跳下去|上吊|割腕|割脉|烧炭|卧轨|撞车|喝农药|喝药(?:自杀|死)|吞(?:安眠)?药|吃(?:安眠)?药自杀)"
_DIE = r"(?:死(?!心|党|磕|记|板)|去死|死掉|死了算|不活|结束(?:自己的?|这条|我的?)?(?:生命|一生|性命)|了结(?:自己|一切|生命|余生)|离开(?:这个|这)(?:世界|人世|人间))"

_END_LIFE_EN = r"(?:kill(?:ing)? ?my ?self|end(?:ing)? (?:my (?:own )?life|it all|everything)|tak(?:e|ing) my (?:own )?life|commit(?:ting)? suicide|unaliv(?:e|ing) myself|suicide|hang(?:ing)? myself|shoot(?:ing)? myself|slit(?:ting)? my wrists?|overdos(?:e|ing)|jump(?:ing)? off (?:a|the) (?:bridge|building|roof|balcony)|die|be dead|not be alive|not exist)"
_INTENT_EN = r"(?:want(?:ed|ing)? to|wanna|going to|gonna|plan(?:ning|ned)? (?:to|on|for)|intend(?:ing)? to|(?:i'm |am |i )?about to|thinking (?:about|of)|think about|thought(?:s)? (?:about|of)|consider(?:ing)?|decided (?:to|on)|ready to|will|'ll|feel like|wish (?:i (?:could|was|were)|to)|rather|need to|have to|try(?:ing)? to|tempted to|should(?: just)?)"

RULES: list[Rule] = [
    # --- the person's own life, Chinese
    *_rules(
        Kind.SELF,
        Risk.CRISIS,
        rf"{_WANT}(?:(?!孩子|全家)\S){{0,8}}?(?:{_MEANS}|{_SUICIDE})",
        rf"(?:今晚|今天|明天|后天|周末|这周|下周|马上|待会|现在)\S{{0,4}}(?:就|要|去|想|会)+(?:{_MEANS}|{_SUICIDE}|去?死(?!心|党))",
        r"(?:想|查|搜|研究|琢磨|考虑)\S{0,4}(?:怎么|怎样|如何)(?:样)?(?:才能)?(?:去)?(?:死|自杀|结束(?:自己|生命))|怎么死(?:比较|才|最|得)|无痛(?:苦)?(?:的)?(?:自杀|死)",
        r"(?:药|绳子|刀片|农药|木炭)\S{0,3}(?:买|备|准备|攒|藏)(?:好|够|齐)了?",
        r"(?:如果|要是|假如|等|哪天)我(?:真的|就)?(?:死|不在)(?:了|掉)?\S{0,8}(?:结束|解脱|没有?人|不会|更好|轻松)",
        r"(?:刀片|刀子?|烟头|玻璃|圆规|针|剪刀)\S{0,3}(?:割|划|扎|烫|刺)\S{0,4}(?:手|腕|臂|腿|自己|身体)|割(?:了|着)?(?:自己|手腕|手臂|胳膊)",
        rf"(?<!不)(?:想要?|打算|准备|决定|恨不得|忍不住想|只想|真想|好想)(?:去|要|马上|现在|今晚|就这样|就这么|一){{0,2}}{_DIE}",
        r"(?:不想|不愿意?|没法|无法|没办法)(?:再)?(?:继续)?活(?:了|下去|在(?:这个)?世)|活不下去|不想活|活够了|活腻了",
        r"(?:不如|还是|干脆|宁愿|宁可|真希望|要是我|希望我)(?:我|自己)?(?:就)?(?:去|能)?(?:死了|死掉|死去|去死|一死了之)|一死了之|以死",
        r"(?:死了|死掉)(?:算了|一了百了|就好了|更好|才好|就解脱了)|一了百了|了结(?:自己|这一切|余生|我的)|结束(?:自己|我)的?(?:生命|一生)|结束这一切",
        r"(?:写(?:好|了|完)|留(?:好|下|了)|准备好?)(?:了)?(?:一封)?(?:我的)?遗书|(?:安排|交代)(?:好)?(?:了)?后事",
        r"(?:攒|囤|藏|买|准备)(?:好|了|够|着)*(?:很多|一瓶|一些|足够的?|够)?(?:安眠药|农药|木炭|炭)(?!\S{0,3}烧烤)",
        r"(?:站|坐|来到|走到|爬到|爬上)(?:在|到|上)?(?:楼顶|天台|桥边|桥上|阳台边|窗台)(?:上|边)?\S{0,6}(?:跳|死|结束|不想)",
        r"(?:我|自己|正在|在|又|忍不住|一直|经常|总是|想|开始)(?:用\S{1,6})?(?:割腕|割脉|割自己|划自己|自残|自伤|自虐|伤害自己|烫自己)",
        r"(?:用\S{1,4}(?:划|割|扎|烫)(?:了|破)?(?:我?自己)?的?(?:手|胳膊|手臂|手腕|大腿|腿))",
        r"(?:刚|刚刚|已经)(?:吃|吞|喝)(?:了|下)(?:一整?瓶|很多|一把|几十|所有的?|整瓶)\S{0,4}(?:药|农药)",
        r"(?:我|自己)(?:死|走)(?:了|后)?(?:以后|之后)?(?:他们|家人|大家|你们|爸妈)(?:就|会|都)\S{0,6}(?:解脱|更好|轻松|开心|不用)",
        r"(?:永别了|来世再见|下辈子再见|下辈子再做)|这是我最后(?:一次|一条|的)(?:留言|消息|信|话)|明天(?:就)?(?:没有|不会有)我了",
        r"我?要去死(?!心)",
        r"想(?:s|4|㐅)(?![a-z0-9])|想(?:紫砂|狗带|鼠)(?!壶|杯|茶|锅)|我要紫砂|想嗝屁",
    ),
    *_rules(
        Kind.SELF,
        Risk.CONCERN,
        _SUICIDE,
        rf"{_MEANS}|自残|割腕|自伤|伤害自己|遗书|遗言",
        r"活着(?:真|好|太|很)?(?:没意思|没有意思|没意义|没有意义|没什么意思|没什么意义|累|痛苦|有什么(?:意思|意义|用)|干什么|干嘛|是(?:种|一种)?(?:折磨|负担))|为什么(?:要|还要|我要)活|人生(?:没|毫无|失去)(?:有)?(?:意义|希望)|生无可恋|生不如死",
        r"(?:想|好想|真想|只想)(?:就这样|就这么|从(?:这个)?世界(?:上)?|直接|彻底|一个人)?(?:消失|解脱|永远睡(?:着|下去|过去)|睡过去不(?:再)?醒|不再醒来|再也不醒)|再也不(?:想|要)醒|睡过去(?:就)?不(?:再|要|用)?醒|不再醒来|醒不过来(?:就|该)?(?:多)?好",
        r"(?:我|自己)(?:只)?(?:是|就是)(?:个|一个|所有人的|大家的|别人的|家里的|家人的|他们的)?(?:累赘|负担|废物|多余的?|拖累)|没有我(?:他们|大家|家人|世界)?(?:会|可能)?(?:过得)?更好|世界上?没有我",
        r"(?:看不到|看不见|没有|失去了?|毫无)(?:任何|一点|一丝)?希望|绝望|撑不下去|坚持不下去|熬不下去|扛不下去|走不下去|走投无路|万念俱灰|彻底崩溃",
        r"(?:想|要|去)死|不想死|(?:如果|要是|假如|等)我(?:真的)?死|我死了(?:以后|之后|呢)|不想(?:再)?醒|怕自己(?:会)?(?:死|想不开)|想不开|想到死|死亡的念头|死的念头",
    ),
    # --- others' lives, Chinese
    *_rules(
        Kind.OTHERS,
        Risk.CRISIS,
        rf"(?<!不){_WANT}(?:亲手|拿刀|用刀|一刀|现在|今晚|马上|直接|去|把|找机会)*(?:他|她|他们|她们|它们|老公|丈夫|老婆|前任|前夫|婆婆|老板|领导|同事|室友|那个人|这个人|全家|所有人|爸|妈|父亲|母亲|孩子)*(?:\S{{0,4}})?(?:杀了?(?:他|她|他们|她们|它们|人|死|掉|光|全家|老公|老婆|婆婆|老板|领导|室友|那个人|所有人)|捅死|砍死|弄死|掐死|毒死|打死|杀人|同归于尽|下毒)",
        r"(?:准备|买|带)(?:好|了)+(?:一把)?刀\S{0,8}(?:他|她|他们|报复|报仇|教训)",
        r"(?:抱着|带着|和|跟)(?:孩子|宝宝|儿子|女儿|他|她|全家)\S{0,4}(?:一起(?:去)?(?:死|跳|走了算)|同归于尽)",
    ),
    *_rules(
        Kind.OTHERS,
        Risk.CRISIS,
        r"(?<!不)(?:真想|好想|想要?|恨不得|忍不住)\S{0,6}?(?:捅|砍|杀|弄死|掐死|毒死|打死)(?:死|了|掉)*(?:他|她|我(?:老公|老婆|爸|妈|老板|领导|同事|室友|婆婆))",
    ),
    *_rules(Kind.OTHERS, Risk.CONCERN, r"杀(?:了)?(?:他|她|人)|同归于尽|砍死|捅死|弄死|掐死|报复社会"),
    # --- being harmed, Chinese
    *_rules(
        Kind.HARMED,
        Risk.CRISIS,
        r"(?:他|她|老公|丈夫|老婆|男朋友|女朋友|男友|前男友|前夫|爸爸?|妈妈?|父亲|母亲|继父|养父|哥哥?|室友|同学)(?:们)?(?:说|扬言|威胁)?(?:今晚|昨晚|昨天|今天|前天|刚才|刚刚|刚|现在|又|经常|总是|每天|天天|一直|喝醉了?就?|一喝酒就|拿刀|用\S{1,4}|还|就|都|会|正在|要)*(?:打我(?!的?电话|的?手机|微信|招呼|们|主意)|家暴|殴打我|掐我的?脖子|掐我|扇我|踢我|踹我|揍我|杀了?我|弄死我|砍我|捅我|强奸|性侵|强迫我(?:发生|和他|跟他)|猥亵)",
        r"(?:我)?(?:正在|一直|经常|总是|天天|每天|又|昨晚|昨天|今天|刚刚|刚)?被(?:他|她|人|老公|丈夫|男朋友|男友|爸爸?|父亲|继父|老师|领导|同学|家里人|前男友)?(?:们)?(?:家暴|强奸|性侵|猥亵|毒打|殴打|囚禁|关在|软禁|迷奸|打得|打到|拿刀)",
        r"(?:拿|用)(?!心|力|情)\S{1,4}(?:抽|打|砸|烫|捅|砍|踢)(?:了|过|着)?我(?!的?电话|的?手机|微信)|(?:掐|勒)(?:着|住|了)?我的?脖子|(?:踹|揍|扇|殴打)(?:了|着)?我(?:一?耳光|巴掌|一)?",
        r"(?:有人|他|她)(?:现在)?(?:在|正)?(?:门外|外面|楼下)?\S{0,4}(?:拿着?刀|要杀我|想杀我|跟踪我)",
    ),
    *_rules(Kind.HARMED, Risk.CONCERN, r"家暴|强奸|性侵|猥亵|性骚扰|虐待|校园霸凌|被(?:人)?(?:打|霸凌|跟踪|威胁)"),
    # --- the person's own life, English
    *_rules(
        Kind.SELF,
        Risk.CRISIS,
        rf"\b{_INTENT_EN} (?:just |really |actually |to |on |about |of )*{_END_LIFE_EN}\b(?! (?:my|the) (?:job|relationship|marriage|subscription))",
        r"\b(?:don'?t|do not|no longer|didn't|never) (?:really |even )?(?:want|wanna|wish|care) (?:to )?(?:live|be alive|be here|exist|wake up|keep living|go on living)\b|\bdon'?t wanna (?:live|be alive|be here|exist|wake up)\b",
        r"\b(?:i'm|im|i am|feel(?:ing)?|been|become|becoming) (?!not\b|never\b)(?:\w+ )?suicidal\b|\bkms\b|\bkys myself\b|\bi (?:just )?(?:want|wanna) (?:to )?(?:\w+ )?die\b",
        r"\bbetter off (?:dead|without me)\b|\b(?:wish|hope) (?:i|that i) (?:was|were|would be|had been) (?:dead|never born)\b|\bwish i (?:could|would) (?:just )?(?:die|not wake up)\b|\bno (?:reason|point) (?:to|in) (?:live|living|be alive|being alive)\b",
        r"\b(?:wrote|written|writing|left|leaving) (?:my |a |the )?(?:suicide|goodbye|farewell) (?:note|letter)s?\b|\bsuicide (?:note|plan|attempt)\b.{0,30}\b(?:tonight|ready|today|tomorrow)\b|\bsaid my goodbyes\b|\bthis is (?:my )?goodbye(?: forever)?\b",
        r"\b(?:cut(?:ting)?|burn(?:ing|ed)?|hurt(?:ing)?|harm(?:ing|ed)?|starv(?:e|ing)|punish(?:ing)?) my ?self\b|\bself[- ]?harm(?:ing|ed)?\b|\bcut(?:ting)? my (?:arms?|wrists?|thighs?|legs?)\b",
        r"\b(?:sav(?:ed|ing)|hoard(?:ed|ing)|bought|stash(?:ed|ing)?) (?:up )?(?:enough |all |my |some |a |the )*(?:pills|rope|gun|razor|sleeping pills|medication)\b",
        r"\b(?:just |already )?(?:took|swallowed|taken) (?:a |the )?(?:whole|entire|full|all|handful|bottle)\b.{0,20}\b(?:pills|bottle|tablets|medication|meds)\b",
        r"\bthink(?:ing)? (?:about|of) (?:dying|death|being dead|how to die|ways to die)\b|\bhow to (?:kill ?my ?self|die|end my life)\b|\b(?:gun|knife|pills|rope|razor|blade)\b.{0,40}\bon my ?self\b",
        r"\b(?:going to|gonna|want to|wanna|will|'ll) (?:just )?(?:take|swallow) (?:all|every one) (?:of )?(?:my|the|these) (?:pills|meds|medication|tablets)\b|\bgoodbye (?:everyone|everybody|world|forever)\b",
        r"\bi(?:'m| am) (?:going to|gonna) (?:die|do it|end it)\b(?! (?:of|from|if|laugh\w*))|\bending it (?:all )?tonight\b|\bwon'?t be (?:here|alive|around) (?:tomorrow|much longer|anymore)\b",
    ),
    *_rules(
        Kind.SELF,
        Risk.CONCERN,
        r"\bsuicid\w*\b|\bself[- ]?harm\w*\b|\bkill(?:ed|ing)? (?:my|him|her|them)sel(?:f|ves)\b|\b(?:took|taken|taking|take) (?:his|her|their) own (?:life|lives)\b|\boverdos(?:e|ed|ing)\b",
        r"\b(?:wants?|wanted|wanting|going|going to|tried|ready) to (?:die|end (?:his|her|their|my) life)\b|\bwant(?:s)? to disappear\b|\bdisappear forever\b|\b(?:never|not|don't|won't|didn't) wak(?:e|ing) up\b|\bwant(?:ed)? (?:it|this|everything) (?:all )?to (?:stop|end|be over)\b|\bsleep forever\b",
        r"\b(?:i'm|i am|i feel|feel(?:ing)?) (?:like )?(?:such )?(?:a |just a )?(?:burden|worthless|hopeless|trapped)\b|\bhopeless(?:ness)?\b|\bno (?:hope|way out|future)\b|\bcan'?t (?:go on|take (?:it|this) any ?more|do this any ?more|keep going)\b|\bgiv(?:e|ing|en) up on (?:life|everything|myself)\b|\bend my life\b|\bend it all\b",
        r"\blife (?:is|isn't|has|feels) (?:not |no longer )?(?:pointless|meaningless|worth living|worthless)\b|\bwhat'?s the point (?:of|in) (?:living|anything|life|going on)\b|\bwhy (?:am i|should i be|do i) (?:even )?(?:alive|live|living|exist)\b|\b(?:desire|wish|want|will) to die\b",
    ),
    # --- others' lives, English
    *_rules(
        Kind.OTHERS,
        Risk.CRISIS,
        rf"\b{_INTENT_EN} (?:just |really |actually )*(?:kill(?:ing)?|murder(?:ing)?|stab(?:bing)?|shoot(?:ing)?|strangl(?:e|ing)|poison(?:ing)?|hurt(?:ing)?|beat(?:ing)?) (?:him|her|them|someone|somebody|people|everyone|everybody|my (?:\w+ )?(?:husband|wife|boss|dad|father|mom|mum|mother|boyfriend|girlfriend|ex|roommate|kids?|children|baby|son|daughter|brother|sister|family|coworkers?))\b",
        r"\bshoot up (?:the|my|a) (?:school|office|place)\b|\b(?:bought|have|got|bringing) a (?:gun|knife)\b.{0,30}\b(?:him|her|them|school|work|everyone)\b",
    ),
    *_rules(Kind.OTHERS, Risk.CONCERN, r"\b(?:kill|murder|stab|shoot) (?:him|her|them|someone|people|everyone)\b"),
    # --- being harmed, English
    *_rules(
        Kind.HARMED,
        Risk.CRISIS,
        r"\b(?:he|she|they|my (?:\w+ )?(?:husband|wife|boyfriend|girlfriend|partner|ex|dad|father|mom|mum|mother|stepdad|stepfather|uncle|brother|boss|roommate))(?:'s| is| are)? (?:just |still |always |keeps? |often |sometimes |regularly |drunk and )*(?:hits?|hitting|beats?|beating|chok(?:es?|ing|ed)|strangl(?:es?|ing|ed)|punch(?:es|ing|ed)?|kick(?:s|ing|ed)?|slap(?:s|ping|ped)?|rap(?:es?|ing|ed)|molest(?:s|ing|ed)?|abus(?:es|ing)|locks?|stalk(?:s|ing)) me\b(?! (?:at|in|to|by|on)\b)",
        r"\b(?:going to|gonna|threaten(?:s|ed|ing)? to|wants? to|tr(?:ied|ying) to|will) (?:kill|murder|hurt|shoot|stab) me\b|\bi(?:'m| am) (?:being |getting )(?:abused|beaten|hit|raped|stalked|molested|held)\b|\bi was (?:just )?(?:raped|assaulted|attacked)(?: (?:tonight|today|last night|yesterday))?\b",
    ),
    *_rules(
        Kind.HARMED,
        Risk.CONCERN,
        r"\b(?:domestic (?:violence|abuse)|sexual(?:ly)? (?:abuse|assault|harass)\w*|rap(?:e|ed)|molested|abusive|abused|beaten|bullied|stalk(?:ed|ing|er))\b|\b(?:hit|beat|choked) me\b(?! (?:at|in|to|by|up|on)\b)",
    ),
]

# What lowers a finding in the same clause from crisis to concern: it is denied, past, someone else's, or a story's.
# Matched in the words before the finding.
MITIGATIONS = re.compile(
    "|".join(
        [
            r"(?:没有?|从来?没(?:有)?|并不是?|不是(?:真的)?|不会|不至于|绝不会?|没想过|不再|才不)(?:真的|真|觉得|认为|感到)?(?:要|想过?|打算|去)?(?:要|去)?$",
            r"(?:我)?不(?:会|想|敢|愿)(?:去)?$",
            r"(?:以前|曾经?|曾|过去|小时候|当年|那时候?|几年前|年前|去年|前年|高中时|初中时|大学时)\S{0,12}$",
            r"(?:朋友|同学|闺蜜|室友|同事|网友|邻居|亲戚|表[哥姐弟妹]|堂[哥姐弟妹]|妹妹|弟弟|姐姐|哥哥|妈妈?|爸爸?|母亲|父亲|老公|老婆|丈夫|妻子|男友|女友|男朋友|女朋友|孩子|儿子|女儿|学生|来访者|患者|明星|主角|别人|有人|他|她|他们|她们)(?:们)?(?:总是|一直|经常|前几天|昨天|最近|突然)?(?:跟我|对我|和我|老|又)?(?:说|说过|告诉我|威胁|发消息说)?(?:他|她|自己|要)?(?:有|曾经|已经|也|真的|好像|可能|在|会|就|都)*$",
            r"(?:电影|小说|电视剧|新闻|剧|书|歌|游戏|论文|讲座|课|梦)(?:里|中|上|说|讲)\S{0,12}$|梦[见到]\S{0,8}$|(?:写|读|看|研究|讨论|关于|防止|预防)\S{0,8}$",
            r"(?:\b(?:not|never|no longer|without|no|nor|nothing about|stopped|(?<!n't )stop)|n't)(?: (?!stop\b|help\b)\w+){0,3} ?$",
            r"\b(?:used to|years? ago|months? ago|back then|in the past|as a (?:kid|child|teen\w*)|when i was|once|previously|in (?:high school|college|19\d\d|20\d\d)|last year|had)(?: [\w']+){0,5} ?$",
            r"\b(?:my|a|the|his|her|our)(?: \w+)? (?:friend|brother|sister|mother|mom|mum|father|dad|uncle|aunt|cousin|son|daughter|partner|husband|wife|boyfriend|girlfriend|ex|roommate|colleague|coworker|neighbou?r|classmate|patient|client|student|character|hero)(?:'s)?(?: (?!i\b|i'm\b|and\b|so\b)[\w']+){0,4} ?$",
            r"\b(?:he|she|they|someone|somebody|people)(?:'s|'re|'d)?(?: (?!i\b|i'm\b|me\b|and\b|so\b)[\w']+){0,4} ?$",
            r"\b(?:movie|film|book|novel|song|lyrics|show|game|news|essay|paper|article|class|dream(?:ed|t)?)(?: [\w']+){0,5} ?$",
        ]
    )
)

# Marks of the past or of another person that follow a finding.
MITIGATIONS_AFTER = re.compile(
    r"^(?:的念头)?(?:已经)?(?:没有了|过去了|不会了|是以前|不可能|的新闻|的电影|的小说|率|未遂过)|"
    r"^ (?:(?:but |and )?(?:that was|years? ago|when i was|back then|in the past|as a (?:kid|child|teen\w*)|in high school|but i never would))"
)

# A clause: what a negation or a subject reaches.
CLAUSES = re.compile(r"[，。！？；,.!?;:：\n、]+|\b(?:but|because|though|although|yet)\b|但是?|可是|不过|然而|因为")
