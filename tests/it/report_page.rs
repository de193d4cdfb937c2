//! The HTML page of a report in a real browser: on a screen, on a phone, in the dark, and on paper.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use vpnprobe::report::model::{self, Report};
use vpnprobe::report::render::html;

use crate::browser::{self, Browser};
use crate::house::House;

#[path = "../../src/report/render/html/sample.rs"]
mod sample;

use sample::Sample;

const MONTH: Sample =
    Sample { sites: 8, from: "2026-10-01", days: 31, zone: "Europe/Paris", outage_every: 3, office_hours: false };

/// Every visible text with too little contrast to what is behind it (WCAG 2.2, 1.4.3).
const PALE: &str = r"
(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = color => {
    const [r, g, b] = [...rgb(color)].slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = element => {
    if (element.closest('.domains')) return getComputedStyle(element.previousElementSibling).fill;
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgb(color)[3] === 255) return color;
    }
    return 'white';
  };
  let seen = 0;
  const pale = new Set();
  for (const element of document.querySelectorAll('body *')) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    if (['TITLE', 'DESC'].includes(element.tagName.toUpperCase())) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(element.namespaceURI.endsWith('svg') ? style.fill : style.color), light(behind(element))];
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    seen += 1;
    if (contrast < 4.5) pale.add(`${element.tagName}.${element.getAttribute('class')}: ${contrast.toFixed(2)}`);
  }
  return { seen, pale: [...pale] };
})()";

/// Names as nobody would give them, beside usual ones.
fn hostile(mut report: Report) -> Report {
    let names = [format!("<script>document.title='owned'</script>{}", "x".repeat(300)), "\u{202e}مكتب".to_owned()];
    for (site, name) in report.sites.iter_mut().zip(names) {
        site.group = Some(name.clone());
        site.figures.failures[0].reason.clone_from(&name);
        site.outages[0].reason.clone_from(&name);
        site.site = name;
    }
    report.notes.push("x".repeat(500));
    report
}

fn write(dir: &TempDir, report: &Report) -> PathBuf {
    let file = dir.path().join("report.html");
    fs::write(&file, html(report)).unwrap();
    file
}

async fn run(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output().await;
    let output = output.unwrap_or_else(|e| panic!("needs {program}: run scripts/test: {e}"));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn report_writes_the_page_of_the_rows() {
    let house = House::empty();
    fs::create_dir(house.path("results")).unwrap();
    house.write(
        "results/results_2026-11-20.csv",
        "time,site,kind,verdict,failed_stage,reason,login_ms,fault_domain,interval_s,group,cycle_id\n\
         2026-11-20T10:00:00.000+00:00,<b>paris,ssl-vpn,up,,,2000.125,,600,emea,1\n\
         2026-11-20T10:10:00.000+00:00,<b>paris,ssl-vpn,down,login,login-timeout,,gateway,600,emea,2\n\
         2026-11-20T10:20:00.000+00:00,<b>paris,ssl-vpn,up,,,2100.250,,600,emea,3\n",
    );
    let arguments = ["--from", "2026-11-20", "--to", "2026-11-20", "--dir", "results", "--format", "html"];
    let arguments = ["report"].iter().chain(&arguments).chain(&["-o", "page.html"]).copied().collect::<Vec<_>>();
    let said = house.run(&arguments).await;
    assert_eq!((said.status, said.stdout.as_str()), (Some(0), ""), "{said:?}");
    let page = fs::read_to_string(house.path("page.html")).unwrap();
    for shown in [
        "<title>VPN availability, 20 November 2026</title>",
        "<bdi>&lt;b&gt;paris</bdi>",
        "<td><time datetime=\"2026-11-20T10:10:00.000+00:00\">",
        "10\u{a0}min 00\u{a0}s</td><td>login</td><td>login-timeout</td><td>gateway</td>",
        "results_2026-11-20.csv",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

#[tokio::test]
async fn the_page_fits_every_screen_and_asks_for_nothing() {
    let dir = TempDir::new().unwrap();
    let day = Sample { sites: 1, days: 1, outage_every: 0, ..MONTH };
    let mut browser = Browser::start().await;
    for (name, report, sites) in [("month", hostile(MONTH.report()), 8), ("day", day.report(), 1)] {
        let file = write(&dir, &report);
        browser.open(&file).await;
        assert_eq!(browser.requests(), [format!("file://{}", file.display())], "{name}");
        for (width, scheme) in [(375, "light"), (1280, "dark"), (2560, "light")] {
            browser.look(width, scheme).await;
            // Everything is open, so that everything is looked at.
            let open = "for (const each of document.querySelectorAll('details')) each.open = true; document.querySelectorAll('details').length";
            assert_eq!(browser.value(open).await, sites, "{name}");
            let [wide, screen] = ["document.documentElement.scrollWidth", "window.innerWidth"];
            let [wide, screen] = [browser.value(wide).await, browser.value(screen).await];
            assert!(wide.as_u64() <= screen.as_u64() && screen == width, "{name}: {wide} in {screen} at {width}");
            let look: Value = browser.value(PALE).await;
            assert_eq!(look["pale"], serde_json::json!([]), "{name} at {width}, {scheme}");
            assert!(look["seen"].as_u64() > Some(50), "{look}");
        }
        let title = browser.value("document.title").await;
        assert!(title.as_str().unwrap().starts_with("VPN availability, "), "{title}");
        assert_eq!(browser.complaints(), Vec::<&Value>::new(), "{name}");
    }
    browser.close().await;
}

#[tokio::test]
async fn on_paper_it_is_a4_with_everything_open_and_page_numbers() {
    let dir = TempDir::new().unwrap();
    let file = write(&dir, &hostile(MONTH.report()));
    let pdf = dir.path().join("month.pdf");
    browser::print(&file, &pdf).await;

    let info = run("pdfinfo", &[], &pdf).await;
    assert!(info.contains("VPN availability, October 2026"), "{info}");
    assert!(info.contains("A4"), "{info}");
    let text = dir.path().join("report.txt");
    run("pdftotext", &["-layout", pdf.to_str().unwrap()], &text).await;
    let text = fs::read_to_string(text).unwrap();
    let pages: Vec<&str> = text.trim_end_matches('\u{c}').split('\u{c}').collect();
    for (number, page) in pages.iter().enumerate() {
        let foot = format!("{} / {}", number + 1, pages.len());
        assert!(page.trim_end().ends_with(&foot) && page.contains("VPN availability, October 2026"), "{foot}: {page}");
        // Where rows of outages are, their headings are too.
        let rows = page.contains("internal-unreachable") && page.contains("2026-10-");
        assert!(!rows || page.contains("Start") && page.contains("Length"), "{page}");
    }
    // Sites are closed on a screen, as there are many.
    assert_eq!(text.matches("What was measured in the period.").count(), 8);
    assert!(text.contains("restored by the prober"), "{text}");
}
