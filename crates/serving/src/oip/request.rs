//! Reads the body of an `infer` request.

use axum::http::{HeaderMap, StatusCode, header};
use score::{Batch, Cell, Kind, ModelInput, Package, Values};

use super::binary;
use crate::failure::Failure;
use crate::tree::Tree;

/// The header that says where the JSON ends and the raw tensors begin.
pub const HEADER_LENGTH: &str = "inference-header-content-length";

/// What a client asks for.
#[derive(Debug)]
pub struct Asked {
    /// The id to repeat.
    pub id: Option<String>,
    /// The rows.
    pub batch: Batch,
    /// The outputs wanted, by their place in the model; none means all.
    pub outputs: Option<Vec<(usize, bool)>>,
    /// Outputs are raw unless they say otherwise.
    pub binary_by_default: bool,
}

/// Reads a body, JSON alone or JSON with raw tensors behind it.
///
/// # Errors
/// 415 for another content type, 400 for what is not the protocol or does not fit the model.
pub fn read(package: &Package, headers: &HeaderMap, body: &[u8]) -> Result<Asked, Failure> {
    check_content_type(headers)?;
    let length = match headers.get(HEADER_LENGTH) {
        None => body.len(),
        Some(length) => {
            let length = length.to_str().ok().and_then(|length| length.parse::<usize>().ok());
            length.filter(|length| *length <= body.len()).ok_or_else(|| {
                Failure::bad(format!(
                    "`{HEADER_LENGTH}` is no length within the body of {} bytes",
                    body.len()
                ))
            })?
        }
    };
    let (json, mut raw) = body.split_at(length);
    let mut request =
        Tree::parse(json).map_err(|error| Failure::bad(format!("the request is not JSON: {error}")))?;
    let id = match request.take("id") {
        None | Some(Tree::Null) => None,
        Some(Tree::Text(id)) if id.len() <= 256 => Some(id),
        Some(_) => return Err(Failure::bad("`id` is not a text of at most 256 bytes")),
    };
    let binary_by_default = flag(request.take("parameters"), "binary_data_output").unwrap_or(false);
    let outputs = request.take("outputs").filter(|asked| asked.items() > 0);
    let outputs = outputs.map(|asked| read_outputs(package, asked, binary_by_default)).transpose()?;
    let inputs = request.take("inputs").filter(Tree::is_list);
    let inputs = inputs.ok_or_else(|| Failure::bad("the request has no list `inputs`"))?;
    let mut batch = Batch::default();
    for (at, input) in inputs.into_items().into_iter().enumerate() {
        let (name, rows, values) = read_input(package, input, &mut raw)?;
        if at > 0 && rows != batch.rows {
            return Err(Failure::bad(format!(
                "input `{name}` has {rows} rows, the inputs before it {}",
                batch.rows
            )));
        }
        if batch.columns.iter().any(|(own, _)| *own == name) {
            return Err(Failure::bad(format!("input `{name}` is there twice")));
        }
        batch.rows = rows;
        batch.columns.push((name, values));
    }
    if batch.rows == 0 {
        return Err(Failure::bad("the request has no row"));
    }
    if !raw.is_empty() {
        return Err(Failure::bad(format!("{} bytes at the end belong to no input", raw.len())));
    }
    Ok(Asked { id, batch, outputs, binary_by_default })
}

/// The types that a form of another page could send are refused. No type at all is Triton's
/// client with JSON; a page that sends none is caught by its origin before it comes here.
fn check_content_type(headers: &HeaderMap) -> Result<(), Failure> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let kind = given.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if kind.eq_ignore_ascii_case(b"application/json")
        || kind.eq_ignore_ascii_case(b"application/octet-stream")
    {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the content type must be application/json or application/octet-stream",
    ))
}

fn read_outputs(
    package: &Package,
    asked: Tree,
    binary_by_default: bool,
) -> Result<Vec<(usize, bool)>, Failure> {
    let asked = asked.into_items();
    let mut outputs = Vec::with_capacity(asked.len().min(package.outputs().len()));
    for mut output in asked {
        let name = output.take("name");
        let name = name.as_ref().and_then(Tree::text).ok_or_else(|| Failure::bad("an output has no name"))?;
        let place = package.outputs().iter().position(|own| own.name == name);
        let place =
            place.ok_or_else(|| Failure::bad(format!("the model has no output `{}`", shorten(name))))?;
        outputs.push((place, flag(output.take("parameters"), "binary_data").unwrap_or(binary_by_default)));
    }
    Ok(outputs)
}

fn read_input(
    package: &Package,
    mut input: Tree,
    raw: &mut &[u8],
) -> Result<(String, usize, Values), Failure> {
    let name = input.take("name");
    let name = name.as_ref().and_then(Tree::text).ok_or_else(|| Failure::bad("an input has no name"))?;
    let known = package.inputs().iter().find(|own| own.name == name);
    let known = known.ok_or_else(|| unknown_input(package, name))?;
    let datatype = input.take("datatype");
    let datatype = datatype.as_ref().and_then(Tree::text);
    let datatype = datatype.ok_or_else(|| Failure::bad(format!("input `{name}` has no datatype")))?;
    if (known.kind == Kind::Text) != (datatype == "BYTES") {
        let expected = super::datatype(known.element);
        return Err(Failure::bad(format!(
            "input `{name}` has the datatype `{}`, the model expects {expected}",
            shorten(datatype)
        )));
    }
    let (rows, width) = read_shape(known, input.take("shape"))?;
    let count =
        rows.checked_mul(width).ok_or_else(|| Failure::bad(format!("the shape of `{name}` is too large")))?;
    let size = match input.take("parameters").and_then(|mut parameters| parameters.take("binary_data_size")) {
        None => None,
        Some(Tree::Number(size)) if size >= 0.0 && size.fract() == 0.0 => Some(size as usize),
        Some(_) => return Err(Failure::bad(format!("`binary_data_size` of `{name}` is no size"))),
    };
    let data = input.take("data");
    let values = match (data, size) {
        (Some(_), Some(_)) => {
            return Err(Failure::bad(format!("input `{name}` has both data and raw bytes")));
        }
        (Some(data), None) => from_json(known, datatype, data)?,
        (None, Some(size)) => {
            let Some((own, rest)) = raw.split_at_checked(size) else {
                return Err(Failure::bad(format!(
                    "input `{name}` announces {size} bytes, {} are left",
                    raw.len()
                )));
            };
            *raw = rest;
            binary::read(name, datatype, own, count)?
        }
        (None, None) => return Err(Failure::bad(format!("input `{name}` has no data"))),
    };
    if values.len() != count {
        return Err(Failure::bad(format!(
            "input `{name}` has {} elements, its shape says {count}",
            values.len()
        )));
    }
    Ok((name.to_owned(), rows, values))
}

fn read_shape(input: &ModelInput, shape: Option<Tree>) -> Result<(usize, usize), Failure> {
    let fail = |why: &str| Failure::bad(format!("the shape of input `{}` {why}", input.name));
    let Some(Tree::Numbers(shape)) = shape else { return Err(fail("is not a list of whole numbers")) };
    let length = |length: &f64| {
        let fits = (1.0..4e9).contains(length) && length.fract() == 0.0;
        fits.then_some(*length as usize)
    };
    let lengths = shape.iter().map(length).collect::<Option<Vec<_>>>();
    match lengths.as_deref() {
        Some([rows]) => Ok((*rows, 1)),
        Some([rows, width]) if *width == 1 || input.is_matrix() => Ok((*rows, *width)),
        Some([_, _]) => Err(fail("must be [rows] or [rows, 1]")),
        Some(_) => Err(fail("has not one or two axes")),
        None => Err(fail("holds what is no length from 1 to 4e9")),
    }
}

fn from_json(input: &ModelInput, datatype: &str, data: Tree) -> Result<Values, Failure> {
    if let (Tree::Numbers(numbers), true) = (&data, input.kind != Kind::Text) {
        let is_whole = datatype.starts_with("INT") || datatype.starts_with("UINT");
        return match numbers.iter().find(|number| is_whole && number.fract() != 0.0 && !number.is_nan()) {
            Some(number) => {
                Err(Failure::bad(format!("input `{}` is {datatype} and holds {number}", input.name)))
            }
            None => Ok(Values::F64(numbers.clone())),
        };
    }
    let mut flat = Vec::new();
    flatten(&data, &mut flat);
    Ok(Values::from_cells(&input.name, input.kind, flat.into_iter())?)
}

/// The elements of nested lists in their order. The reader bounds the depth.
fn flatten<'a>(data: &'a Tree, into: &mut Vec<Cell<'a>>) {
    match data {
        Tree::Numbers(numbers) => into.extend(numbers.iter().map(|number| number_cell(*number))),
        Tree::List(items) => items.iter().for_each(|item| flatten(item, into)),
        scalar => into.push(scalar.cell()),
    }
}

fn number_cell<'a>(number: f64) -> Cell<'a> {
    if number.is_nan() { Cell::Missing } else { Cell::Number(number) }
}

fn flag(parameters: Option<Tree>, name: &str) -> Option<bool> {
    match parameters?.take(name)? {
        Tree::Bool(flag) => Some(flag),
        _ => None,
    }
}

fn unknown_input(package: &Package, name: &str) -> Failure {
    let names: Vec<_> = package.inputs().iter().map(|input| format!("`{}`", input.name)).take(20).collect();
    Failure::bad(format!("the model has no input `{}`; it reads {}", shorten(name), names.join(", ")))
}

fn shorten(text: &str) -> String {
    text.escape_debug().take(64).collect()
}
