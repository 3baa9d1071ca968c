//! How common letters and characters are in ordinary text, in eighths of a bit: 8 * -log2(p).

/// a to z, space, digit, other ASCII, anything else.
pub(super) const CLASSES: usize = 30;
pub(super) const SPACE: usize = 26;
pub(super) const DIGIT: usize = 27;
pub(super) const OTHER_ASCII: usize = 28;
pub(super) const NOT_ASCII: usize = 29;

/// Surprise at a character without knowing the one before, counted over this project's own
/// English prose without regard to case. The classes of several characters share their
/// probability evenly.
pub(super) const FIRST: [u8; CLASSES] = [
    32, 52, 43, 41, 27, 47, 50, 39, 35, 77, 62, 40, 47, 33, 33, 49, 83, 35, 33, 30, 46, 60, 49, 62,
    54, 94, 21, 75, 65, 150,
];

/// Surprise at a character (column) behind another (row), counted over the same prose.
#[rustfmt::skip]
pub(super) const NEXT: [[u8; CLASSES]; CLASSES] = [
    [111, 44, 39, 37, 109, 56, 35, 102, 32, 169, 56, 26, 35, 23, 96, 50, 174, 28, 32, 23, 60, 63, 53, 70, 46, 81, 24, 96, 85, 172],
    [37, 82, 82, 113, 16, 87, 122, 111, 36, 35, 133, 29, 118, 85, 16, 121, 95, 48, 50, 90, 34, 131, 120, 95, 23, 165, 36, 113, 77, 221],
    [28, 103, 56, 85, 20, 127, 131, 23, 42, 158, 39, 46, 127, 67, 16, 82, 73, 43, 66, 24, 42, 140, 129, 142, 49, 174, 39, 84, 88, 230],
    [42, 87, 68, 46, 21, 78, 58, 121, 25, 83, 143, 76, 44, 101, 36, 97, 164, 43, 28, 70, 61, 87, 130, 58, 48, 175, 13, 119, 58, 232],
    [37, 74, 39, 34, 55, 49, 52, 74, 59, 96, 111, 45, 48, 25, 90, 55, 69, 23, 27, 41, 93, 48, 65, 39, 56, 189, 15, 113, 65, 189],
    [35, 82, 40, 98, 36, 48, 127, 116, 23, 154, 82, 53, 123, 96, 17, 126, 159, 37, 59, 41, 36, 136, 125, 138, 76, 170, 13, 78, 75, 226],
    [44, 56, 116, 114, 14, 88, 69, 46, 23, 150, 96, 51, 54, 32, 43, 54, 155, 33, 43, 52, 40, 133, 88, 134, 84, 65, 21, 147, 59, 223],
    [20, 99, 127, 66, 8, 130, 134, 98, 30, 161, 100, 124, 89, 85, 27, 73, 166, 57, 70, 41, 82, 144, 132, 145, 61, 178, 27, 118, 80, 234],
    [57, 53, 30, 38, 42, 52, 39, 127, 62, 165, 70, 38, 49, 17, 33, 55, 96, 43, 21, 20, 91, 44, 91, 62, 142, 77, 49, 125, 75, 238],
    [59, 98, 89, 87, 9, 93, 96, 85, 81, 123, 108, 86, 93, 79, 23, 44, 129, 81, 19, 75, 22, 106, 94, 107, 100, 140, 67, 121, 111, 196],
    [64, 69, 66, 69, 11, 108, 112, 100, 25, 139, 85, 101, 108, 23, 64, 111, 144, 96, 25, 80, 58, 121, 110, 123, 115, 155, 22, 136, 64, 211],
    [32, 134, 105, 36, 21, 50, 106, 104, 23, 160, 84, 22, 94, 79, 23, 90, 165, 77, 38, 45, 42, 70, 74, 144, 44, 177, 26, 125, 64, 233],
    [22, 36, 87, 48, 15, 56, 126, 115, 26, 154, 138, 39, 43, 48, 32, 29, 159, 56, 54, 95, 50, 136, 125, 138, 61, 170, 30, 151, 66, 226],
    [33, 142, 38, 24, 29, 62, 31, 105, 43, 114, 56, 56, 93, 60, 26, 71, 173, 82, 32, 22, 42, 81, 93, 114, 48, 184, 21, 139, 66, 240],
    [54, 40, 44, 46, 56, 27, 68, 67, 60, 114, 57, 38, 37, 20, 44, 49, 173, 22, 41, 28, 30, 52, 29, 98, 113, 90, 34, 165, 89, 183],
    [19, 125, 81, 49, 20, 89, 70, 50, 42, 151, 136, 26, 81, 107, 29, 43, 156, 28, 30, 31, 34, 70, 122, 89, 63, 167, 34, 123, 76, 224],
    [72, 92, 84, 82, 68, 87, 91, 80, 76, 118, 103, 27, 88, 74, 74, 90, 44, 75, 74, 70, 4, 101, 89, 102, 94, 134, 45, 90, 60, 134],
    [29, 66, 42, 38, 17, 51, 51, 93, 35, 166, 63, 47, 39, 59, 28, 56, 79, 48, 32, 42, 45, 50, 76, 150, 39, 182, 21, 138, 68, 181],
    [36, 106, 54, 83, 22, 105, 105, 43, 36, 167, 53, 55, 75, 57, 37, 47, 75, 104, 41, 26, 45, 78, 67, 152, 73, 184, 12, 118, 59, 240],
    [34, 87, 56, 56, 26, 63, 144, 16, 35, 171, 92, 70, 62, 103, 41, 59, 176, 36, 30, 46, 62, 153, 60, 57, 49, 117, 18, 108, 62, 244],
    [48, 39, 41, 49, 35, 70, 65, 78, 44, 154, 139, 26, 27, 22, 64, 37, 159, 23, 20, 23, 123, 137, 125, 74, 131, 88, 64, 103, 103, 170],
    [21, 115, 106, 105, 5, 110, 114, 103, 26, 141, 125, 104, 110, 96, 40, 113, 146, 98, 96, 93, 109, 123, 112, 125, 117, 157, 58, 79, 83, 213],
    [34, 126, 117, 116, 26, 121, 51, 15, 20, 152, 136, 56, 122, 32, 33, 97, 157, 37, 37, 93, 121, 134, 72, 90, 90, 168, 26, 106, 64, 225],
    [22, 57, 49, 83, 46, 69, 112, 101, 39, 139, 123, 102, 41, 75, 48, 33, 144, 96, 95, 9, 108, 121, 110, 55, 77, 155, 26, 84, 62, 212],
    [101, 60, 72, 111, 44, 116, 92, 109, 70, 147, 131, 71, 56, 57, 56, 33, 152, 83, 33, 27, 92, 129, 61, 131, 93, 163, 7, 144, 55, 219],
    [40, 29, 73, 72, 15, 77, 80, 37, 19, 108, 92, 52, 77, 63, 31, 80, 113, 65, 37, 60, 76, 90, 79, 92, 84, 54, 30, 105, 58, 180],
    [23, 40, 37, 43, 42, 36, 53, 44, 31, 69, 56, 41, 44, 35, 30, 42, 74, 36, 34, 24, 45, 57, 34, 80, 80, 89, 123, 69, 68, 141],
    [69, 76, 75, 85, 69, 67, 98, 114, 95, 152, 137, 90, 90, 89, 95, 55, 158, 95, 85, 77, 121, 86, 98, 62, 129, 86, 16, 37, 48, 126],
    [34, 57, 44, 57, 53, 59, 64, 56, 55, 68, 66, 50, 52, 41, 50, 47, 87, 43, 43, 40, 51, 70, 67, 67, 67, 96, 9, 61, 55, 142],
    [49, 94, 64, 57, 70, 89, 93, 82, 78, 120, 104, 83, 89, 76, 76, 65, 125, 77, 75, 72, 89, 102, 91, 104, 96, 136, 23, 43, 52, 81],
];

/// Chinese characters, roughly the most common first. Only the order is used.
pub(super) const HAN_BY_RANK: &str = "\
的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过\
发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本\
前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很\
最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度\
门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电\
数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马\
科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万\
取拉格望觉术领共确传师观清今切院让识候带导争运笔车收风价建增花受联往步传极济术府快花单红育石\
产流转号服办百影照研究候准调装般病段技斗服较技器爱支持整断深料专亲热周准众费米近专每委字连客\
团未议消精七根节且众达落满引城李士语住易八段片始局院算响易标音状易越易县府备油亚创写商叫送钱\
转商站推六青照布族火怎办阿黑包苏图江历站尽息叫病选包另毛足吃请复九似兴房拿致找谈失级错坐乐居\
城服试试构须钟友击林票苦存排称讲余微环境网络站载视频频告免费游戏购店铺";

/// Pairs of Chinese characters that stand together more often than chance: common words.
pub(super) const COMMON_PAIRS: &str = "\
我们 你们 他们 她们 自己 一个 这个 那个 什么 没有 不是 可以 就是 因为 所以 但是 如果 已经 还是 \
时候 现在 知道 起来 出来 这样 那样 怎么 为了 或者 以及 之后 之前 其中 可能 应该 能够 通过 进行 \
中国 美国 日本 北京 上海 国家 社会 经济 政治 文化 历史 发展 问题 工作 生活 学习 学生 老师 学校 \
大学 研究 技术 科学 教育 管理 系统 信息 数据 网络 网站 服务 公司 企业 市场 产品 用户 使用 提供 \
方法 方式 情况 关系 影响 作用 要求 需要 重要 主要 具有 表示 认为 开始 成为 成立 包括 其他 不同 \
时间 今天 明天 昨天 今年 去年 地方 世界 人们 人民 政府 法律 规定 部门 组织 活动 项目 计划 建设 \
环境 安全 健康 医院 医生 身体 孩子 父母 家庭 朋友 男人 女人 东西 事情 电影 音乐 游戏 手机 电脑 \
软件 文件 下载 免费 视频 图片 新闻 记者 报道 消息 介绍 内容 作品 小说 文章 一些 一种 这些 那些 \
许多 非常 特别 比较 更加 不能 不会 不要 不知 只有 只是 虽然 然后 而且 并且 由于 根据 对于 关于 \
第一 第二 一样 一定 一直 一般 一起 以后 以前 之间 目前 最后 最近 当时 同时 过程 结果 原因 条件 \
能力 水平 质量 价格 成本 投资 金融 银行 资金 汽车 城市 农村 地区 全国 国际 中心 会议 领导 干部 \
群众 同志 总统 战争 军队 警察 犯罪 行为 责任 权利 自由 民主 运动 比赛 球队 冠军 选手 训练 设计 \
生产 制造 工业 农业 能源 交通 运输 材料 设备 机器 分析 测试 实现 功能 程序 代码 语言 英语 汉语 \
中文 图书 出版 版本 更新 支持 选择 设置 操作 点击 页面 搜索 注册 登录 电话 地址 联系 时代 精神";

/// Four letters (and `_` for a space) that stand together more often than `NEXT` tells, by
/// their surprise: counted over the documentation and the comments of this project.
pub(super) const COMMON_GRAMS: [(u8, &str); 7] = [
    (
        8 * 6,
        "\
_the the_",
    ),
    (
        8 * 7,
        "\
_of_",
    ),
    (
        8 * 8,
        "\
_and _in_ _is_ _tha and_ hat_ that",
    ),
    (
        8 * 9,
        "\
_an_ _are _as_ _for _it_ _its _nam _not _one _or_ _rea _sta _tex _wha _whe _wit are_ e_of e_th ence \
ever f_th for_ he_s here ing_ ith_ its_ ment n_th name of_a of_t one_ read s_no s_of s_th t_is text \
tion what with",
    ),
    (
        8 * 10,
        "\
_a_c _a_f _a_l _a_r _a_s _a_t _by_ _cha _com _dig _doc _eac _end _eve _fir _fro _has _no_ _num _pla \
_res _to_ _whi _wor able ach_ acte ame_ ames arac at_a at_i char coun cter cume d_th der_ docu e_co \
e_fi e_re e_te each ent_ er_o er_t ers_ es_a es_o es_t ethe ext_ f_a_ firs form from hara he_c he_f \
he_l he_r hen_ her_ hich hing hout ich_ in_t ion_ irst is_n itho mber mes_ nce_ nd_t nds_ not_ nts_ \
numb ocum or_a ound ount out_ r_a_ r_th ract s_a_ s_an s_ar s_in s_it sion stan t_a_ t_of t_th ter_ \
ters tes_ thin thou tter umbe umen ver_ very when wher whic word",
    ),
    (
        8 * 11,
        "\
_a_d _a_n _a_p _add _any _bef _can _col _cou _doe _err _fol _giv _hol _how _ins _las _lea _lin _lon \
_may _non _ord _par _sam _say _str _tab _two _was _who _wri a_fi a_li a_te ads_ all_ an_a an_e ands \
any_ ast_ at_o at_s at_t atio ays_ befo ces_ comm d_by d_fo d_in d_of d_wh ding does ds_a ds_t e_fo \
e_is e_it e_la e_le e_li e_ma e_no e_or e_sa e_se e_st e_ta ead_ eads ed_b efor eir_ en_t ents er_a \
er_i erro ery_ es_i es_n est_ f_an fore give h_th has_ he_b he_d he_e he_n he_p he_w heir heth hey_ \
his_ hold hose how_ ide_ ies_ ight in_a ines ions it_i ked_ know lace last lds_ line long may_ n_a_ \
n_an n_it n_of nd_i nd_w ne_o ng_t none noth nown o_th of_e olds only ons_ or_e or_t orde ors_ ose_ \
othi over own_ part plac r_an r_of r_on rder re_i ress rom_ rror rs_a rst_ s_be s_fo s_re s_to s_wi \
same says side st_o t_be t_fo t_it t_ma t_on t_st tabl tand ted_ th_t thei them they this to_t ts_a \
ts_o two_ und_ ut_a ves_ was_ whet writ y_th",
    ),
    (
        8 * 12,
        "\
_sho _tak an_i ce_t cont d_it ds_o er_w f_it hem_ in_o itte ives le_o most oes_ of_i on_o or_w ost_ \
ritt s_by t_co t_wa take tten y_of",
    ),
];
