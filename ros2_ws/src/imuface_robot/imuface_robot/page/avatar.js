// Draws a VRM avatar as the robot, in a mirror: three.js and three-vrm, which this machine's server has from npm.

import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import * as THREE from "three";
import { VRMLoaderPlugin, VRMUtils } from "@pixiv/three-vrm";

import { AT, NAMES } from "./arkit.js";

const OPENING = 22, IN_SIGHT = 0.85;  // the camera's angle in degrees; what it sees at the face, in lengths from hips to head
const LOOK = 30;                      // degrees of a full look aside, up or down
const MIRROR = NAMES.map((name) => AT[name.replace(/Left|Right/, (side) => (side === "Left" ? "Right" : "Left"))]);

export class Avatar {
  // Of the model at `url`. `presets`: for each of VRM's expressions the actions that it is the sum of.
  static async load(canvas, url, presets) {
    const renderer = new THREE.WebGLRenderer({ canvas, alpha: true, antialias: true });
    const loader = new GLTFLoader();
    loader.register((parser) => new VRMLoaderPlugin(parser));
    return new Avatar(renderer, (await loader.loadAsync(url)).userData.vrm, presets);
  }

  constructor(renderer, vrm, presets) {
    [this.renderer, this.vrm, this.then] = [renderer, vrm, performance.now()];
    VRMUtils.removeUnnecessaryVertices(vrm.scene);
    VRMUtils.combineSkeletons(vrm.scene);
    VRMUtils.rotateVRM0(vrm);  // version 0 looks the other way
    this.front = vrm.meta.metaVersion === "0" ? -1 : 1;
    this.expressions = expressions(Object.keys(vrm.expressionManager?.expressionMap ?? {}), presets, Boolean(vrm.lookAt));
    this.bone = (name) => vrm.humanoid.getNormalizedBoneNode(name);
    for (const [side, sign] of [["left", -1], ["right", 1]]) this.bone(`${side}UpperArm`).rotation.z = this.front * sign * 1.2;
    this.scene = new THREE.Scene();
    const light = new THREE.DirectionalLight(0xffffff, 2);
    light.position.set(0.5, 1, 2);
    this.scene.add(vrm.scene, light, new THREE.HemisphereLight(0xffffff, 0xb8a99a, 1.4));
    this.camera = this.#camera();
  }

  // In front of the face, whatever the avatar's height.
  #camera() {
    this.vrm.scene.updateWorldMatrix(true, true);
    const [head, hips] = ["head", "hips"].map((name) => this.bone(name).getWorldPosition(new THREE.Vector3()));
    const length = head.y - hips.y, away = (IN_SIGHT * length) / 2 / Math.tan((OPENING * Math.PI) / 360);
    const camera = new THREE.PerspectiveCamera(OPENING, 1, 0.05 * away, 20 * away);
    camera.position.set(head.x, head.y + 0.04 * length, head.z + away);
    return camera;
  }

  // As Head.draw.
  draw(weights, pose) {
    this.#fit();
    const w = (name) => weights[MIRROR[AT[name]]];
    for (const [name, sum] of this.expressions) {
      const value = Object.entries(sum).reduce((all, [action, factor]) => all + factor * w(action), 0);
      this.vrm.expressionManager.setValue(name, Math.max(0, Math.min(1, value)));
    }
    for (const [name, part] of [["neck", 0.4], ["head", 0.6]]) {
      this.bone(name)?.rotation.set(part * this.front * pose.pitch, part * pose.yaw, -part * this.front * pose.roll, "YXZ");
    }
    this.bone("spine").rotation.x = this.front * (Math.PI / 12) * pose.lean;
    if (this.vrm.lookAt) {
      const aside = (w("eyeLookOutLeft") + w("eyeLookInRight") - w("eyeLookInLeft") - w("eyeLookOutRight")) / 2;
      const down = (w("eyeLookDownLeft") + w("eyeLookDownRight") - w("eyeLookUpLeft") - w("eyeLookUpRight")) / 2;
      this.vrm.lookAt.yaw = LOOK * (aside + pose.eyesX);  // to its left, which is to the right in the picture
      this.vrm.lookAt.pitch = LOOK * (down + pose.eyesY);
    }
    const now = performance.now();
    this.vrm.update(Math.min(0.1, (now - this.then) / 1000));  // hair and clothes swing by it
    this.then = now;
    this.renderer.render(this.scene, this.camera);
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.renderer.domElement;
    const now = this.renderer.getSize(new THREE.Vector2());
    if (now.x === width && now.y === height) return;
    this.renderer.setPixelRatio(Math.min(2, devicePixelRatio));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
  }
}

// By the model's expressions, the actions that each of them shows: its own clips for ARKit's actions ("perfect sync",
// jawOpen or JawOpen), or else VRM's presets. Where it turns its eyes, no clip does so, too.
function expressions(known, presets, eyes) {
  const clip = (name) => known.find((each) => each.toLowerCase() === name.toLowerCase());
  if (!clip("jawOpen")) return Object.entries(presets).filter(([name]) => known.includes(name));
  return NAMES.filter((name) => clip(name) && !(eyes && name.startsWith("eyeLook"))).map((name) => [clip(name), { [name]: 1 }]);
}
