// The player's card without Jupyter: a model that talks to the preview's own server.
import player from "./player.js";

const other = new BroadcastChannel("counterside-preview");
const traits = await (await fetch("traits")).json();
const listeners = [];

async function showScore() {
  document.getElementById("score").innerHTML = await (await fetch("score")).text();
}

async function post(message) {
  const answer = await fetch("../message", { method: "POST", body: JSON.stringify(message) });
  const reply = await answer.json();
  for (const [name, listener] of listeners) if (name === "msg:custom") listener(reply);
  showScore();
  other.postMessage("answered");
}

other.onmessage = async () => {
  traits.state = (await (await fetch("traits")).json()).state;
  for (const [name, listener] of listeners) if (name === "change:state") listener();
  showScore();
};

const model = {
  get: (name) => traits[name],
  send: (message) => { post(message); },
  on: (names, listener) => names.split(" ").forEach((name) => listeners.push([name, listener])),
  off: () => {},
};

player.render({ model, el: document.getElementById("card"), signal: new AbortController().signal });
showScore();
