// Draws the head: what turns is shown by how far the parts before and behind its axis move.

import { AT } from "./arkit.js";

// In a mirror the person's left is on the left of the picture.
const SIDES = [["Left", -1], ["Right", 1]];
const EYE = { x: 44, y: 172, width: 22, height: 27 };
const MOUTH = { y: 236, width: 36 };

const PARTS = `
  <defs>
    <radialGradient id="shell" cx=".42" cy=".3" r=".85"><stop offset=".35" class="shell-light"/><stop offset="1" class="shell-dark"/></radialGradient>
    <linearGradient id="visor" x2="0" y2="1"><stop class="visor-light"/><stop offset="1" class="visor-dark"/></linearGradient>
    <linearGradient id="body" x2="0" y2="1"><stop offset=".35" class="body-light"/><stop offset=".78" class="body-gone"/></linearGradient>
    <clipPath id="seen-Left"><path data-part="lids-Left"/></clipPath>
    <clipPath id="seen-Right"><path data-part="lids-Right"/></clipPath>
  </defs>
  <g data-part="torso"><path class="body" d="M70 420c0-62 52-84 130-84s130 22 130 84z"/></g>
  <rect class="neck" x="172" y="290" width="56" height="66" rx="22" data-part="neck"/>
  <g data-part="head">
    <g data-part="ears"><circle class="ear" cx="78" cy="190" r="30"/><circle class="ear" cx="322" cy="190" r="30"/>
      <circle class="ear-rim" cx="78" cy="190" r="17"/><circle class="ear-rim" cx="322" cy="190" r="17"/></g>
    <rect class="shell" x="80" y="52" width="240" height="256" rx="108"/>
    <g data-part="face">
      <rect class="visor" x="104" y="102" width="192" height="180" rx="76"/>
      ${SIDES.map(([side]) => `
        <ellipse class="cheek" rx="19" ry="11" data-part="cheek-${side}"/>
        <path class="eye" data-part="eye-${side}"/>
        <g clip-path="url(#seen-${side})"><g data-part="iris-${side}"><circle class="pupil" r="12"/><circle class="glint" cx="-4" cy="-5" r="4"/></g></g>
        <path class="line" data-part="brow-${side}"/>`).join("")}
      <path class="mouth" data-part="mouth"/>
    </g>
  </g>`;

export class Head {
  constructor(svg) {
    svg.innerHTML = PARTS;
    this.part = Object.fromEntries([...svg.querySelectorAll("[data-part]")].map((each) => [each.dataset.part, each]));
  }

  // `weights`: 52 ARKit weights. `pose`: yaw, pitch, roll in radians (right, down and right in the picture are
  // positive), lean -1 to 1, eyesX and eyesY -1 to 1, concern 0 to 1.
  draw(weights, pose) {
    const w = (name) => weights[AT[name]];
    const move = (name, x, y, more = "") => this.part[name].setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})${more}`);
    const across = 60 * Math.sin(pose.yaw), down = 60 * Math.sin(pose.pitch);
    const size = 1 + 0.05 * pose.lean, roll = (pose.roll * 180) / Math.PI;
    move("head", 0.3 * across, 0.45 * down + 6 * pose.lean,
      ` rotate(${roll.toFixed(2)} 200 310) translate(200 200) scale(${size.toFixed(4)}) translate(-200 -200)`);
    move("face", 0.55 * across, 0.55 * down);
    move("ears", -0.3 * across, -0.25 * down);
    move("neck", 0.1 * across, 0);
    move("torso", 0, -4 * pose.lean);
    for (const [side, sign] of SIDES) this.#eye(w, side, sign, pose);
    this.#mouth(w, pose);
  }

  #eye(w, side, sign, pose) {
    const x = 200 + sign * EYE.x, smile = w(`mouthSmile${side}`);
    const shut = Math.min(1, w(`eyeBlink${side}`));
    const upper = EYE.height * (1 - shut) * (1 + 0.2 * w(`eyeWide${side}`)) * (1 - 0.18 * pose.concern);
    const lower = EYE.height * (1 - shut) * (1 - 0.5 * Math.max(0.8 * smile, w(`eyeSquint${side}`), w(`cheekSquint${side}`)));
    const lids = lens(x, EYE.y, EYE.width, Math.max(2, upper), Math.max(2, lower));
    this.part[`eye-${side}`].setAttribute("d", lids);
    this.part[`lids-${side}`].setAttribute("d", lids);
    const aside = w("eyeLookOutLeft") + w("eyeLookInRight") - w("eyeLookInLeft") - w("eyeLookOutRight");
    const lookX = Math.max(-1, Math.min(1, pose.eyesX - 0.5 * aside));
    const lookY = Math.max(-1, Math.min(1, pose.eyesY + w(`eyeLookDown${side}`) - w(`eyeLookUp${side}`)));
    this.part[`iris-${side}`].setAttribute("transform", `translate(${(x + 9 * lookX).toFixed(2)} ${(EYE.y + 9 * lookY).toFixed(2)})`);
    const inner = 12 * w("browInnerUp"), outer = 12 * w(`browOuterUp${side}`) - 5 * pose.concern;
    const y = EYE.y - 42 - 4 * w(`eyeWide${side}`);
    this.part[`brow-${side}`].setAttribute("d", path`M${x + sign * 23} ${y + 5 - outer} Q${x} ${y - 7 - (inner + outer) / 2} ${x - sign * 21} ${y + 2 - inner}`);
    const cheek = this.part[`cheek-${side}`];
    cheek.setAttribute("cx", x + sign * 16);
    cheek.setAttribute("cy", 219 - 4 * smile);
    cheek.setAttribute("opacity", Math.max(0, Math.min(0.7, 1.6 * (smile - 0.25))).toFixed(3));
  }

  #mouth(w, pose) {
    const round = Math.max(w("mouthPucker"), w("mouthFunnel"));
    const ends = SIDES.map(([side, sign]) => {
      const smile = w(`mouthSmile${side}`), frown = w(`mouthFrown${side}`);
      const width = MOUTH.width * (1 + 0.3 * smile + 0.25 * w(`mouthStretch${side}`) - 0.45 * round);
      return { x: 200 + sign * width, y: MOUTH.y - 13 * smile + 10 * frown, smile };
    });
    const shift = 8 * (w("mouthLeft") - w("mouthRight") + 0.5 * (w("jawLeft") - w("jawRight")));
    const smile = (ends[0].smile + ends[1].smile) / 2, open = w("jawOpen");
    const rest = 4 * Math.max(0, 1 - 3 * pose.concern);  // at rest it is friendly, and in concern it is not
    const top = MOUTH.y + rest + 9 * smile - 16 * open * (1 - smile) - 5 * (w("mouthUpperUpLeft") + w("mouthUpperUpRight")) / 2;
    const bottom = MOUTH.y + rest + 11 * smile + 1 + 38 * open + 5 * (w("mouthLowerDownLeft") + w("mouthLowerDownRight")) / 2;
    const [left, right] = ends;
    const middle = 200 - shift, half = 0.55 * (right.x - left.x) / 2;
    this.part.mouth.setAttribute("d", path`M${left.x - shift} ${left.y} C${middle - half} ${top} ${middle + half} ${top} ${right.x - shift} ${right.y}
      C${middle + half} ${bottom} ${middle - half} ${bottom} ${left.x - shift} ${left.y} Z`);
  }
}

// An eye's opening between its lids.
function lens(x, y, width, upper, lower) {
  return path`M${x - width} ${y} C${x - width} ${y - 1.33 * upper} ${x + width} ${y - 1.33 * upper} ${x + width} ${y}
    C${x + width} ${y + 1.33 * lower} ${x - width} ${y + 1.33 * lower} ${x - width} ${y} Z`;
}

function path(texts, ...numbers) {
  return texts.reduce((all, text, index) => all + numbers[index - 1].toFixed(2) + text);
}
