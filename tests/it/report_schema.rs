//! `docs/report.schema.json` against real reports, by a validator that is not ours, and against every field that they have.

use serde_json::{Value, json};

use crate::house::House;
use crate::readme::text_of;
use crate::report::house_of_a_quarter;
use crate::schema::faults_by;
use crate::sla::house_of_the_example;

/// The schema, refusing every field that it does not describe.
fn strict() -> Value {
    let mut schema: Value = serde_json::from_str(&text_of("docs/report.schema.json")).unwrap();
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") && object.get("type").is_some_and(|kind| kind == "object") {
                object.insert("additionalProperties".to_owned(), false.into());
            }
            object.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

async fn made(house: &House, arguments: &[&str]) -> Value {
    let said = house.run(&[&["report", "--format", "json"], arguments].concat()).await;
    assert_eq!(said.status, Some(0), "{}", said.stderr);
    serde_json::from_str(&said.stdout).unwrap()
}

/// With groups, a target, holidays, windows of both periods, an outage, refused accounts, bad rows, and a period before.
async fn full() -> Value {
    let house = house_of_a_quarter(
        "timezone: Europe/Paris\nsla: { target: 99.9, hours: Mon-Sun 06:00-22:00, holidays_file: h.txt, credentials: excluded }\nmaintenance: [{ sites: all, weekly: Sun 12:00, duration: 2h }]\n",
    );
    house.write("h.txt", "2025-10-03\n");
    let path = house.path("results/results_2025-10-08.csv");
    let rows = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, rows + "half a row\n2025-10-08T23:30:00").unwrap();
    made(&house, &["--month", "2025-10", "--site", "paris", "--site", "oslo", "--group", "emea"]).await
}

#[tokio::test]
async fn every_field_of_a_report_is_as_the_schema_says_and_it_names_no_other() {
    let full = full().await;
    for filled in ["/sites/0/timeline/0", "/groups/0", "/excluded/0", "/policy/excluded_before/0", "/policy/holidays/0"]
    {
        assert!(full.pointer(filled).is_some(), "{filled}");
    }
    for filled in ["/problems/lines/0", "/total/before/from", "/total/failures/0", "/total/error_budget/met"] {
        assert!(full.pointer(filled).is_some(), "{filled}");
    }
    let outages = full["sites"].as_array().unwrap().iter().map(|site| site["outages"].as_array().unwrap().len());
    assert!(outages.sum::<usize>() > 0);
    let example = made(&house_of_the_example(), &["--from", "2025-11-21", "--to", "2025-11-21"]).await;
    let empty = made(&house_of_the_example(), &["--from", "2024-11-21", "--to", "2024-11-21"]).await;
    let reports = [full, example, empty];
    assert_eq!(faults_by(&strict(), &reports, &[]).await, [""; 3]);
}

#[tokio::test]
async fn a_report_that_is_not_right_is_refused_by_the_schema() {
    let good = full().await;
    let changes = [
        ("/report_version", json!(2)),
        ("/period/from", json!("2025-10")),
        ("/period/start", json!("2025-10-01 00:00")),
        ("/policy/credentials", json!("maybe")),
        ("/total/availability/default", json!("100 %")),
        ("/total/availability/strict", json!(100.5)),
        ("/total/agreed_s", json!(null)),
        ("/total/cycles", json!({ "up": 1 })),
        ("/groups/0/sites", json!("paris")),
        ("/sites/0/days/0/login_ms", json!({})),
        ("/sites/0/timeline/0/state", json!("sideways")),
        ("/sites/0/cycles/up", json!(1.5)),
        ("/inputs/0/sha256", json!("0123")),
        ("/total/error_budget", json!(7)),
        ("/notes", json!([1])),
    ];
    let wrong = changes.iter().map(|(place, value)| {
        let mut report = good.clone();
        *report.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value.clone();
        report
    });
    let mut wrong: Vec<Value> = wrong.collect();
    let mut more = good.clone();
    more["sites"][0]["colour"] = json!("red");
    wrong.push(more);
    for (number, fault) in faults_by(&strict(), &wrong, &["--quick"]).await.iter().enumerate() {
        assert_eq!(fault, "refused", "{:?}", changes.get(number));
    }
}

#[test]
fn every_field_of_the_schema_is_described() {
    fn look(schema: &Value, path: &str, count: &mut usize) {
        for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let described = |of: &Value| of.get("description").is_some_and(|text| text.as_str().unwrap().len() > 2);
            assert!(described(field) || field.get("$ref").is_some(), "{path}/{name}");
            let all = schema["required"].as_array().is_some_and(|required| required.contains(&json!(name)));
            assert!(all, "{path}/{name} is not required");
            look(field, &format!("{path}/{name}"), count);
            *count += 1;
        }
    }
    let schema: Value = serde_json::from_str(&text_of("docs/report.schema.json")).unwrap();
    let mut count = 0;
    look(&schema, "", &mut count);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        assert!(definition["description"].is_string(), "{name}");
        look(definition, name, &mut count);
    }
    assert!(count > 100, "{count} fields");
}
