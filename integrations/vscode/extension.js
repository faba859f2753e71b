// Starts the language server of ibpc, and nothing else: all that is known of the language lies there.
const { workspace, window } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function activate(context) {
  const [command, ...args] = workspace.getConfiguration("ibpc").get("command", ["ibpc", "lsp"]);
  const server = { command, args };
  const options = { documentSelector: [{ language: "ibp" }] };
  client = new LanguageClient("ibpc", "ibpc", server, options);
  context.subscriptions.push(client);
  try {
    await client.start();
  } catch (error) {
    const advice = "pip install 'ibpc[lsp]', or set ibpc.command to where it is installed.";
    window.showWarningMessage(`The language server of ibpc does not start: ${advice}`);
  }
}

function deactivate() {
  return client?.stop();
}

module.exports = { activate, deactivate };
