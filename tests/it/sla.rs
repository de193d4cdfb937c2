//! The worked example of `docs/sla.md`: the program makes the report of its rows, and every figure of the page is compared.

use serde_json::Value;

use crate::house::House;
use crate::readme::{blocks_of, code_in, dialogue_of, matches, table_of, text_of};

/// A house with the configuration and the rows of the page.
pub(crate) fn house_of_the_example() -> House {
    let document = text_of("docs/sla.md");
    let example = document.split_once("## A worked example").expect("there is one").1;
    let block = |info: &str| blocks_of(example).into_iter().find(|block| block.info == info).expect("a block").text;
    let house = House::empty();
    house.write("config.yml", &block("yaml"));
    std::fs::create_dir(house.path("results")).unwrap();
    house.write("results/results_2025-11-21.csv", &block("csv"));
    house
}

/// `fault_domains.0.share_pct`.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, key| match key.parse::<usize>() {
        Ok(index) => &value[index],
        Err(_) => &value[key],
    })
}

#[tokio::test]
async fn the_worked_example_comes_to_the_figures_that_its_page_names() {
    let house = house_of_the_example();
    let days = ["--from", "2025-11-21", "--to", "2025-11-21"];
    let said = house.run(&[&["report", "--format", "json"], days.as_slice()].concat()).await;
    assert_eq!((said.status, said.stderr.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    let site = &report["sites"][0];
    assert_eq!(report["sites"].as_array().unwrap().len(), 1);

    let example = text_of("docs/sla.md");
    let figures = table_of(example.split_once("**Step 3").unwrap().1, "figure");
    assert!(figures.len() > 25, "{} figures", figures.len());
    for row in &figures {
        let [path, expected] = &code_in(row.last().unwrap())[..] else { panic!("{row:?}") };
        assert_eq!(at(site, path).as_f64(), Some(expected.parse().unwrap()), "{row:?}");
    }

    // The steps by hand are those of the timeline: time of day, state and whose fault.
    let steps = table_of(&example, "from");
    let steps = steps.iter().filter(|row| !row[0].is_empty()).map(|row| (row[0].clone(), row[2].clone()));
    let timeline = site["timeline"].as_array().unwrap().iter().map(|segment| {
        let text = |key: &str| segment[key].as_str().unwrap();
        let time = &text("start")[11..19];
        let state = [text("state").replace('-', " "), text("fault_domain").to_owned()];
        let state: Vec<_> = state.into_iter().filter(|part| !part.is_empty()).collect();
        (time.strip_suffix(":00").unwrap_or(time).to_owned(), state.join(", "))
    });
    let timeline: Vec<_> = timeline.collect();
    // What lies before and after the agreed hours is not told step by step.
    assert_eq!(timeline[1..timeline.len() - 1], steps.collect::<Vec<_>>());
}

#[tokio::test]
async fn the_report_in_the_readme_is_that_of_the_worked_example() {
    let house = house_of_the_example();
    let readme = blocks_of(&text_of("README.md"));
    let block = readme.iter().find(|block| block.info == "console sla").expect("it shows a report");
    for (command, answer) in dialogue_of(&block.text) {
        let said = house.run(&command.split(' ').skip(1).collect::<Vec<_>>()).await;
        let lines = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert!(matches(&lines(answer), &lines(said.stdout.lines().collect())), "{}", said.stdout);
    }
}
