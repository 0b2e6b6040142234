import { fixLinks } from "./base.ts";
import { render } from "preact";
import { App } from "./App.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/layout.css";
import "./styles/upload.css";
import "./styles/result.css";
import "./styles/library.css";

const root = document.getElementById("root");
fixLinks();
if (root) render(<App />, root);
