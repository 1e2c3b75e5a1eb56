// Cues to a pose that changes over time. Kinds and amounts are those of imuface_interfaces/msg/Cue; times in ms.

import { AT } from "./arkit.js";

export const GAZE = 0, NOD = 1, TILT = 2, SMILE = 3, CONCERN = 4, POSTURE = 5;
const REST = { [GAZE]: 1, [NOD]: 0, [TILT]: 0, [SMILE]: 0, [CONCERN]: 0, [POSTURE]: 0 };
const EASE = { [GAZE]: 180, [TILT]: 260, [SMILE]: 350, [CONCERN]: 350, [POSTURE]: 600 };  // to 1 - 1/e

export class Motion {
  constructor() {
    this.cues = [];
    this.now = { ...REST };
    this.last = 0;
  }

  // A cue of message `cue` whose sentence, if it has one, began at `began`.
  add(cue, began) {
    const from = began + 1000 * cue.delay;
    this.cues = this.cues.filter((other) => other.what !== cue.what || other.from < from);
    this.cues.push({ what: cue.what, amount: cue.amount, from, to: from + 1000 * cue.duration });
  }

  // What a sentence was accompanied with stops with it.
  clear() { this.cues = []; }

  // The amounts at time `time`, by kind; NOD is how far the head is down, 0 to 1.
  at(time) {
    const passed = Math.min(100, time - this.last);
    this.last = time;
    this.cues = this.cues.filter((cue) => cue.to > time);
    for (const kind of Object.keys(REST).map(Number)) {
      // The newest that has begun counts.
      const cue = this.cues.findLast((each) => each.what === kind && each.from <= time);
      if (kind === NOD) {
        const part = cue ? (time - cue.from) / (cue.to - cue.from) : 0;
        this.now[NOD] = cue ? cue.amount * Math.sin(Math.PI * part) ** 2 : 0;
      } else {
        const wanted = cue ? cue.amount : REST[kind];
        this.now[kind] += (wanted - this.now[kind]) * (1 - Math.exp(-passed / EASE[kind]));
      }
    }
    return this.now;
  }
}

// The face of one who smiles, is concerned (0 to 1), or opens the mouth to speak, beside what `weights` show: a copy.
export function expressive(weights, { smile, concern, open }) {
  const shown = [...weights];
  const atLeast = (name, amount) => { shown[AT[name]] = Math.max(shown[AT[name]], amount); };
  for (const side of ["Left", "Right"]) {
    atLeast(`mouthSmile${side}`, smile);
    atLeast(`mouthFrown${side}`, 0.3 * concern * (1 - smile));
  }
  atLeast("browInnerUp", concern);
  atLeast("jawOpen", open);
  return shown;
}
