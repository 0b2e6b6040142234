// The reports' CSS: light and dark by the reader's setting, one column on a phone, several on a desktop. A constant.
#pragma once

#include <string_view>

namespace reeltag::draw {

inline constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--ink:#171a21;--soft:#5a6372;--line:#e2e5ea;--s1:#2f6fed;--s2:#e0801f;
--s3:#12936a;--s4:#8a56d8;--good:#0e7d58;--bad:#c8372d;--tint:#eef3fe}
@media(prefers-color-scheme:dark){:root{--bg:#0f1217;--card:#181c23;--ink:#e9ecf1;--soft:#9aa4b4;--line:#2b313b;--s1:#6c9fff;
--s2:#f2a65a;--s3:#43c99b;--s4:#b795f5;--good:#4bd3a2;--bad:#ff8078;--tint:#1c2536}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
-webkit-text-size-adjust:100%}
main{max-width:1200px;margin:0 auto;padding:28px 20px 48px}
header p{margin:0}
.brand{color:var(--s1);font-weight:700;letter-spacing:.02em}
h1{font-size:clamp(1.5rem,4vw,2.1rem);line-height:1.2;margin:.15em 0 .3em;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.2em 0 .2em}
h2+p{margin:0 0 .9em;color:var(--soft);max-width:46em}
.facts{color:var(--soft);font-size:.92rem}
.facts span+span::before{content:"\00b7";margin:0 .5em}
.lead{font-size:1.15rem;max-width:44em;margin:1.1em 0 1.3em}
.lead b{white-space:nowrap}
.grid{display:grid;gap:14px;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));align-items:start}
.tiles{grid-template-columns:repeat(auto-fit,minmax(min(100%,175px),1fr));align-items:stretch}
.tile,figure,.example,details{background:var(--card);border:1px solid var(--line);border-radius:12px;margin:0;padding:14px 16px}
.tile h3{margin:0;font-size:.85rem;color:var(--soft);font-weight:600}
.tile strong{display:block;font-size:1.75rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tile p{margin:.35em 0 0;font-size:.82rem;line-height:1.4;color:var(--soft)}
.range{display:block;height:12px;width:100%;margin:.15em 0}
figure{min-width:0}
figcaption{font-weight:600;margin-bottom:6px}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;margin:0 0 4px;font-size:.82rem;color:var(--soft)}
.legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}
i.s1{background:var(--s1)}i.s2{background:var(--s2)}i.s3{background:var(--s3)}i.s4{background:var(--s4)}
.legend i.dash{height:0;border-top:2px dashed var(--soft);border-radius:0;vertical-align:4px}
.legend i.over{background:var(--bad);opacity:.25}
.legend i.tick{width:2px;height:13px;border-radius:0;background:var(--ink);margin:0 9px 0 4px}
.legend i.thin{height:2px;width:14px;border-radius:0;background:var(--ink);opacity:.55;vertical-align:4px}
figure svg{display:block;width:100%;height:auto}
svg text{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}
svg .label{fill:var(--ink);font-size:12.5px}
svg .name{fill:var(--ink)}
svg .soft{fill:var(--soft);font-size:10.5px}
svg .cell{fill:var(--ink)}svg .cell.dark{fill:var(--card);font-weight:600}
svg .grid{stroke:var(--line);stroke-width:1}
svg .axis{stroke:var(--soft);stroke-width:1}
svg .dash{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:4 4}
svg .whisker{stroke:var(--ink);stroke-width:1.6;opacity:.55}
svg .marker{stroke:var(--ink);stroke-width:2}
svg path{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
path.s1{stroke:var(--s1)}path.s2{stroke:var(--s2)}path.s3{stroke:var(--s3)}path.s4{stroke:var(--s4)}
rect.s1,circle.s1{fill:var(--s1)}rect.s2,circle.s2{fill:var(--s2)}rect.s3,circle.s3{fill:var(--s3)}rect.s4,circle.s4{fill:var(--s4)}
tr.pick td{font-weight:600;background:var(--tint)}
rect.over{fill:var(--bad);fill-opacity:.1}
rect.hit{fill:var(--s3)}rect.miss{fill:var(--bad)}rect.none{fill:var(--line);fill-opacity:.45}
.grid figure{max-width:640px;width:100%}
.grid .wide{max-width:none}
@media(min-width:800px){.wide{grid-column:span 2}}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.88rem}
th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
details{margin-top:14px}
summary{cursor:pointer;font-weight:600}
details[open] summary{margin-bottom:8px}
details table{min-width:640px}
.examples{grid-template-columns:repeat(auto-fill,minmax(min(100%,250px),1fr));align-items:stretch}
.example{display:flex;gap:12px;min-width:0}
.example img,.example .blank{width:92px;height:124px;object-fit:cover;border-radius:8px;background:var(--line);flex:none}
.example .blank{display:flex;align-items:center;justify-content:center;text-align:center;color:var(--soft);font-size:.75rem}
.example div{min-width:0;flex:1}
.example p{margin:0 0 .35em;font-size:.85rem;line-height:1.35;overflow-wrap:anywhere}
.example .note{margin-top:.4em;font-size:.8rem;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;overflow:hidden}
.example .said{color:var(--soft);font-size:.72rem;margin:0}
.example .id{color:var(--soft);font-size:.74rem;margin:.2em 0 0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.tag{display:inline-block;background:var(--tint);border-radius:6px;padding:0 6px;margin:0 3px 3px 0;max-width:100%}
.example .guess{display:flex;margin:0;justify-content:space-between;gap:8px;font-size:.85rem}
.guess b{font-weight:500;overflow-wrap:anywhere;min-width:0}.guess span{white-space:nowrap;font-variant-numeric:tabular-nums}
.right b::before{content:"\2713\00a0";color:var(--good)}
.wrong b::before{content:"\2717\00a0";color:var(--bad)}
.note{color:var(--soft);font-size:.9rem}
pre{overflow-x:auto;font-size:.8rem;margin:0}
footer{margin-top:2.5em;color:var(--soft);font-size:.85rem;max-width:60em}
dt{font-weight:600;margin-top:.5em}dd{margin:0}
@media(max-width:480px){main{padding:18px 12px 32px}.tiles{grid-template-columns:1fr 1fr;gap:10px}.tile{padding:11px 12px}
.tile strong{font-size:1.45rem}figure{padding:12px 10px}.lead{font-size:1.05rem}}
@media print{body{background:#fff}figure,.tile,.example{break-inside:avoid}}
)css";

}  // namespace reeltag::draw
