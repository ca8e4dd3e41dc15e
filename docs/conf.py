"""Sphinx configuration."""

project = "Bence"
author = "The Bence authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = "Bence"
exclude_patterns = ["_build", "_generated"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
locale_dirs = ["locale"]
gettext_compact = False
autodoc_typehints = "description"
autodoc_member_order = "bysource"
suppress_warnings = ["myst.xref_missing"]


def generate(folder):
    """Write the pages that come from the package itself: policies, rules, codes."""
    from bence.advise.printed import tables
    from bence.assess.policies import POLICIES
    from bence.assess.status import targets
    from bence.assess.toxicity import astct
    from bence.catalogue import codes
    from bence.rulebook import rules

    folder.mkdir(exist_ok=True)
    policies = ["| policy | default | choices | meaning | 含义 |", "|---|---|---|---|---|"]
    policies += [
        f"| `{name}` | `{choice.default}` | {', '.join(choice.choices) or 'a number, or true and false'} | {choice.en} | {choice.zh} |"
        for name, choice in POLICIES.items()
    ]
    (folder / "policies.md").write_text("\n".join(policies) + "\n", encoding="utf-8")
    (folder / "rules.md").write_text(_rules(rules(), targets()), encoding="utf-8")
    (folder / "toxicity_rules.md").write_text(_rules(astct.BOOK.rules), encoding="utf-8")
    listed = ["| code | where | unit | values | English | 中文 |", "|---|---|---|---|---|---|"]
    for code in codes().values():
        if "value" not in code.grains:
            words = ", ".join(code.words) or (f"{code.low:g} to {code.high:g}" if code.low is not None and code.high is not None else "")
            listed.append(f"| `{code.code}` | {', '.join(code.grains)} | {code.unit} | {words} | {code.en} | {code.zh} |")
    for lang in ("en", "zh"):
        (folder / f"pathway_{lang}.md").write_text(tables(lang), encoding="utf-8")
    (folder / "codes.md").write_text("\n".join(listed) + "\n", encoding="utf-8")


def _rules(listed, bold=()):
    """A table of rules with their thresholds and sources; some names in bold."""
    from bence.assess.sources import sources

    table = ["| rule | label | 名称 | thresholds | source | tag |", "|---|---|---|---|---|---|"]
    for name, rule in listed.items():
        limits = "; ".join(f"{key} {value}" for key, value in rule.thresholds.items())
        source = sources().get(rule.source, {})
        shown = f"**{name}**" if name in bold else name
        table.append(f"| {shown} | {rule.label} | {rule.zh} | {limits} | {source.get('where', rule.source)} | {source.get('tag', '')} |")
    return "\n".join(table) + "\n"


def setup(app):
    """Generate before reading."""
    from pathlib import Path

    generate(Path(__file__).parent / "_generated")
