"""What every output of the simulator says of itself, English and Chinese."""

NOTE = {
    "en": "Virtual patients: everything here is synthetic. It raises hypotheses; it is no evidence and no advice for any patient.",
    "zh": "虚拟患者：以上均为合成数据，仅供提出假设，不是证据，也不构成对任何患者的建议。",
}
