// The reference robot: what the node tells, put on stage. No request goes anywhere but to the server of this page.

import { NAMES } from "./arkit.js";
import { Head } from "./head.js";
import { CONCERN, expressive, GAZE, Motion, NOD, POSTURE, SMILE, TILT } from "./motion.js";

const WORDS = {
  en: {
    face: "face", agent: "agent", voice: "voice", think: "What it thinks", say: "Say something…", send: "Send", close: "Close",
    layers: ["Feelings and situation", "Causes and beliefs", "What you may want", "How to answer"], none: "Nothing yet: the four layers come with a reply.",
    lost: "The robot is not running any more. It is looked for…", alone: "No agent is running: start one with imuface up full.",
    failed: "No reply came. The agent's log says why.", head: "A robot's head that mirrors your face",
    drawn: "The avatar cannot be shown in this browser; the drawn head stands in for it.",
  },
  zh: {
    face: "面部", agent: "对话", voice: "语音", think: "它在想什么", say: "说点什么……", send: "发送", close: "关闭",
    layers: ["情绪与处境", "原因与信念", "你也许想要的", "怎样回应"], none: "还没有：四层思考随回复一起出现。",
    lost: "机器人已停止，正在重新连接……", alone: "没有对话程序：请运行 imuface up full。",
    failed: "没有收到回复，原因见对话程序的日志。", head: "映照你表情的机器人头像",
    drawn: "这个浏览器无法显示虚拟形象，先用手绘的头像代替。",
  },
};
const language = navigator.language.startsWith("zh") ? "zh" : "en";
const words = WORDS[language];
const $ = (selector) => document.querySelector(selector);
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const FRAME = 1000 / 31;  // ms; a face comes 30 times a second

document.documentElement.lang = language;
$("#think").textContent = words.think;
$("#say button").textContent = words.send;
$("#help button").textContent = words.close;
$("#say input").placeholder = words.say;
$("#say input").setAttribute("aria-label", words.say);
for (const each of ["#head", "#avatar"]) $(each).setAttribute("aria-label", words.head);
for (const part of document.querySelectorAll("#there li")) part.textContent = words[part.dataset.part];

let head = new Head($("#head"));
const motion = new Motion();
const there = { face: false, agent: false, voice: false };
const counts = { faces: 0, frames: 0 };  // for tests
window.earnest = counts;

// What is said -----------------------------------------------------------------------------------------------------

let queue = [];        // sentences that wait
let saying = null;     // the one that is being said: { reply, index, began, ends }
let heardBegin = {};   // with a voice: the sentences that are heard, and since when
let cues = {};         // of sentences that have not begun
let broken = new Set(); // replies that are not said any more
let answers = {};      // by reply, the id of the utterance that it answers
let utterance = "";    // the id of the newest one
const name = (message) => `${message.reply}:${message.index}`;

function begin(sentence, now) {
  saying = { ...sentence, began: now, ends: now + 1000 * sentence.seconds };
  subtitle(sentence.text);
  for (const cue of cues[name(sentence)] ?? []) motion.add(cue, now);
  delete cues[name(sentence)];
}

function step(now) {
  const voiced = saying && there.voice && heardBegin[name(saying)];
  // A voice that has ended, or failed at once, leaves the words on screen as long as they take to read.
  if (saying && now >= saying.ends && !(voiced && !voiced.over)) saying = null;
  if (!saying && queue.length && (!there.voice || heardBegin[name(queue[0])])) begin(queue.shift(), now);
}

function breakOff(reply) {
  broken.add(reply);
  queue = queue.filter((sentence) => sentence.reply !== reply);
  if (saying?.reply === reply) { saying = null; motion.clear(); subtitle(""); }
}

function subtitle(text, mood = "") {
  $("#subtitle").textContent = text;
  $("#subtitle").className = mood;
}

let avatar;  // the address of the model that the robot looks like, "" where it is the drawn head

const take = {
  async avatar({ url, presets }) {
    if (avatar !== undefined && avatar !== url) return location.reload();  // the robot was started anew with another one
    if (avatar === url) return;
    avatar = url;
    if (!url) return;
    try {
      const { Avatar } = await import("./avatar.js");
      head = await Avatar.load($("#avatar"), url, presets);
      [$("#head").style.display, $("#avatar").hidden] = ["none", false];
    } catch (error) {
      console.warn(error);
      subtitle(words.drawn, "fault");
    }
  },
  face({ weights }) { person = weights; seen = performance.now(); counts.faces++; },
  there(parts) {
    for (const part of document.querySelectorAll("#there li")) {
      there[part.dataset.part] = parts[part.dataset.part];
      part.classList.toggle("is-there", there[part.dataset.part]);
    }
  },
  heard({ text, partial, id }) {
    $("#heard").textContent = text;
    // As imuface_robot/speaker.py: the person breaks off all but the answer to what is just being said.
    for (const reply in answers) if (!id || answers[reply] !== id) breakOff(reply);
    utterance = id;
    if (!partial) subtitle(there.agent ? "" : words.alone, there.agent ? "thinking" : "fault");
  },
  sentence(sentence) {
    answers[sentence.reply] ??= utterance;
    if (broken.has(sentence.reply)) return;
    if (sentence.state === "SAID") queue.push(sentence);
    else if (sentence.state === "CANCELED") breakOff(sentence.reply);
    else if (sentence.state === "FAILED" && !saying) subtitle(words.failed, "fault");
  },
  voice({ reply, index, state }) {
    if (state === 0) heardBegin[`${reply}:${index}`] = { over: false };
    else if (heardBegin[`${reply}:${index}`]) heardBegin[`${reply}:${index}`].over = true;
    if (state === 2) breakOff(reply);
  },
  cue(cue) {
    if (!cue.reply) motion.add(cue, performance.now());
    else if (saying && name(saying) === name(cue)) motion.add(cue, saying.began);
    else (cues[name(cue)] ??= []).push(cue);
  },
  reply({ layers, resources, locale }) {
    fill($("#layers"), words.layers.flatMap((title, index) => [["h2", title], ["p", layers[index]]]));
    $("#layers").lang = locale;
    if (resources.length) fill($("#help ul"), resources.map((line) => ["li", line]));
    if (resources.length) $("#help").hidden = false;
  },
};

function fill(element, children) {
  element.replaceChildren(...children.map(([tag, text]) => Object.assign(document.createElement(tag), { textContent: text })));
}

// The socket -------------------------------------------------------------------------------------------------------

let socket;
function connect() {
  socket = new WebSocket(`ws://${location.host}/socket`);
  socket.onopen = () => { $("#say button").disabled = false; if ($("#subtitle").classList.contains("fault")) subtitle(""); };
  socket.onmessage = (event) => { const { kind, ...content } = JSON.parse(event.data); take[kind](content); };
  socket.onclose = () => {
    $("#say button").disabled = true;
    take.there({ face: false, agent: false, voice: false });
    [queue, saying, cues, heardBegin, answers, broken] = [[], null, {}, {}, {}, new Set()];
    motion.clear();
    subtitle(words.lost, "fault");
    setTimeout(connect, 1000);
  };
}

$("#say").onsubmit = (event) => {
  event.preventDefault();
  const input = event.target.elements.text;
  if (!input.value.trim() || socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ say: input.value }));
  input.value = "";
};
$("#help button").onclick = () => { $("#help").hidden = true; };
$("#think").onclick = () => {
  const shown = $("#layers").hidden;
  $("#layers").hidden = !shown;
  $("#think").setAttribute("aria-expanded", shown);
};
fill($("#layers"), [["p", words.none]]);

// The head ---------------------------------------------------------------------------------------------------------

let person = new Array(NAMES.length).fill(0), seen = -Infinity, shown = new Array(NAMES.length).fill(0);
let drawn = 0, blink = 2000;

function draw(now) {
  requestAnimationFrame(draw);
  if (now - drawn < FRAME - 4) return;
  const passed = Math.min(100, now - drawn);
  drawn = now;
  step(now);
  const live = now - seen < 500, towards = 1 - Math.exp(-passed / 60);
  shown = shown.map((weight, index) => weight + ((live ? person[index] : 0) - weight) * towards);
  if (!live && now > blink + 160) blink = now + 2500 + 2500 * Math.random();
  const weights = [...shown];
  if (!live && now > blink) weights[0] = weights[7] = Math.sin((Math.PI * (now - blink)) / 160);
  const cue = motion.at(now), idle = still ? 0 : 1, aside = 1 - cue[GAZE];
  const syllables = 0.5 + 0.3 * Math.sin(now / 47) + 0.2 * Math.sin(now / 29);
  const speaks = saying && now < saying.ends + 200 && !(there.voice && heardBegin[name(saying)]?.over);
  const open = speaks ? 0.5 * syllables : 0;
  head.draw(expressive(weights, { smile: cue[SMILE], concern: cue[CONCERN], open }), {
    yaw: 0.3 * aside + idle * 0.02 * Math.sin(now / 2300),
    pitch: (15 * Math.PI / 180) * cue[NOD] - 0.12 * aside + idle * 0.015 * Math.sin(now / 1700),
    roll: -(15 * Math.PI / 180) * cue[TILT],
    lean: cue[POSTURE] + idle * 0.06 * Math.sin(now / 1500),
    eyesX: 0.7 * aside, eyesY: -0.6 * aside,
    concern: cue[CONCERN],
  });
  counts.frames++;
}

connect();
requestAnimationFrame(draw);
