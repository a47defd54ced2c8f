//! The part of the W3C WebDriver protocol that the journeys need, and no more. What the driver
//! refuses comes back in its own words.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The key under which the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// A session may take this long on a loaded machine; a hanging one must not hang the tests.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A session with one window.
pub struct Session {
    agent: ureq::Agent,
    /// The address of the session at the driver.
    url: String,
}

/// An element of the page, as long as the page keeps it.
#[derive(Debug, Clone)]
pub struct Element(String);

impl Session {
    /// Lets the driver start `program` with `arguments`.
    pub fn open(driver: &str, program: &str, arguments: &[String]) -> Self {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        await_driver(&agent, driver);
        let options = json!({ "binary": program, "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": options } } });
        let opened = send(&agent, &format!("{driver}/session"), Some(&wanted)).expect("the window opens");
        let id = opened["sessionId"].as_str().expect("a session has an id");
        Self { url: format!("{driver}/session/{id}"), agent }
    }

    /// Ends the session; the driver closes the window.
    pub fn close(&self) {
        // A window that is gone already is as good.
        let _ = self.agent.delete(&self.url).call();
    }

    pub fn title(&self) -> String {
        self.get("title").as_str().unwrap_or_default().to_owned()
    }

    pub fn url(&self) -> String {
        self.get("url").as_str().unwrap_or_default().to_owned()
    }

    pub fn resize(&self, width: u32, height: u32) {
        self.post("window/rect", &json!({ "x": 0, "y": 0, "width": width, "height": height }))
            .expect("resized");
    }

    pub fn find(&self, css: &str) -> Result<Element, String> {
        let found = self.post("element", &json!({ "using": "css selector", "value": css }))?;
        Ok(Element(found[ELEMENT].as_str().expect("an element has an id").to_owned()))
    }

    /// The text that a reader sees. The driver's own answer is empty inside an open `dialog`.
    pub fn text(&self, element: &Element) -> Result<String, String> {
        let text = self.script("return arguments[0].innerText", &[json!({ ELEMENT: element.0 })])?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    pub fn type_keys(&self, element: &Element, text: &str) -> Result<(), String> {
        self.post(&format!("element/{}/value", element.0), &json!({ "text": text })).map(drop)
    }

    /// One press of the pointer in the middle of an element.
    pub fn click(&self, element: &Element) -> Result<(), String> {
        self.pointer(&[
            json!({ "type": "pointerMove", "duration": 50, "origin": { ELEMENT: element.0 }, "x": 0, "y": 0 }),
            json!({ "type": "pointerDown", "button": 0 }),
            json!({ "type": "pause", "duration": 30 }),
            json!({ "type": "pointerUp", "button": 0 }),
        ])
    }

    /// Presses, moves in small steps as a hand does, and lets go.
    pub fn drag(&self, from: (i32, i32), to: (i32, i32)) -> Result<(), String> {
        self.pull(from, to)?;
        self.let_go()
    }

    /// Presses and moves in small steps, and holds on.
    pub fn pull(&self, from: (i32, i32), to: (i32, i32)) -> Result<(), String> {
        const STEPS: i32 = 8;
        let at =
            |step: i32| (from.0 + (to.0 - from.0) * step / STEPS, from.1 + (to.1 - from.1) * step / STEPS);
        let mut actions = vec![
            json!({ "type": "pointerMove", "duration": 0, "x": from.0, "y": from.1 }),
            json!({ "type": "pointerDown", "button": 0 }),
        ];
        actions.extend(
            (1..=STEPS)
                .map(at)
                .map(|(x, y)| json!({ "type": "pointerMove", "duration": 40, "x": x, "y": y })),
        );
        self.pointer(&actions)
    }

    /// Lets go of what was pulled.
    pub fn let_go(&self) -> Result<(), String> {
        self.pointer(&[json!({ "type": "pointerUp", "button": 0 })])
    }

    /// Presses keys wherever the focus is, all together, and lets go of them backwards.
    pub fn press(&self, keys: &[&str]) -> Result<(), String> {
        let down = keys.iter().map(|key| json!({ "type": "keyDown", "value": key }));
        let up = keys.iter().rev().map(|key| json!({ "type": "keyUp", "value": key }));
        let actions: Vec<_> = down.chain(up).collect();
        self.post("actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }))
            .map(drop)
    }

    /// Runs a function body in the page.
    pub fn script(&self, body: &str, arguments: &[Value]) -> Result<Value, String> {
        self.post("execute/sync", &json!({ "script": body, "args": arguments }))
    }

    /// Runs a function body that calls its last argument when it is done.
    pub fn script_async(&self, body: &str, arguments: &[Value]) -> Result<Value, String> {
        self.post("execute/async", &json!({ "script": body, "args": arguments }))
    }

    /// A picture of the page, as PNG bytes. WebKitGTK takes it at the next frame, which on a still
    /// page never comes, so a dot too faint to see is made to blink for a second.
    pub fn screenshot(&self) -> Vec<u8> {
        const BLINK: &str = "const dot = document.createElement('i');
            dot.style.cssText = 'position:fixed;left:0;top:0;width:1px;height:1px;opacity:.01';
            document.documentElement.append(dot);
            let blinks = 0;
            const timer = setInterval(() => {
              dot.style.background = blinks++ % 2 ? '#000' : '#fff';
              if (blinks > 40) { clearInterval(timer); dot.remove() }
            }, 25)";
        self.script(BLINK, &[]).expect("the page blinks");
        from_base64(self.get("screenshot").as_str().expect("a picture is text"))
    }

    fn pointer(&self, actions: &[Value]) -> Result<(), String> {
        let mouse = json!({ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": actions });
        self.post("actions", &json!({ "actions": [mouse] })).map(drop)
    }

    fn get(&self, path: &str) -> Value {
        send(&self.agent, &format!("{}/{path}", self.url), None).expect("the window answers")
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        send(&self.agent, &format!("{}/{path}", self.url), Some(body))
    }
}

fn await_driver(agent: &ureq::Agent, driver: &str) {
    let deadline = Instant::now() + TIMEOUT;
    while agent.get(format!("{driver}/status")).call().is_err() {
        assert!(Instant::now() < deadline, "the driver at {driver} does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn send(agent: &ureq::Agent, url: &str, body: Option<&Value>) -> Result<Value, String> {
    let answer = match body {
        Some(body) => agent.post(url).send_json(body),
        None => agent.get(url).call(),
    };
    let mut answer = answer.unwrap_or_else(|error| panic!("the driver did not answer {url}: {error}"));
    let text =
        answer.body_mut().with_config().limit(64 * 1024 * 1024).read_to_string().expect("the answer is text");
    let mut body: Value = serde_json::from_str(&text).expect("the driver answers in JSON");
    let value = body["value"].take();
    if answer.status().is_success() {
        return Ok(value);
    }
    let word = |key: &str| value[key].as_str().unwrap_or_default();
    Err(format!("{}: {}", word("error"), word("message")))
}

fn from_base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("`{}` is not base64", byte as char),
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=' && *byte != b'\n').map(digit).collect();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    for group in digits.chunks(4) {
        let bits =
            group.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit)) << (6 * (4 - group.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}

#[test]
fn base64_is_read_with_every_length_of_rest() {
    assert_eq!(from_base64("TWFu"), b"Man");
    assert_eq!(from_base64("TWE="), b"Ma");
    assert_eq!(from_base64("TQ=="), b"M");
    assert_eq!(from_base64("+/8A"), [0xfb, 0xff, 0x00]);
}
