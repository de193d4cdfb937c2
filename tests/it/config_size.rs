//! How large a configuration may be: read in proportion to its size, or refused with the limit.

use std::fs;

use crate::house::House;

/// So many sites, as somebody's script would write them.
pub(crate) fn many_sites(count: usize) -> String {
    let site = |n: usize| {
        let (high, middle, low) = (n / 62_500, n / 250 % 250, n % 250 + 1);
        format!(
            "  site-{n}: {{ client: missing, external_required: false, group: g{low}, internal_ip: 10.{high}.{middle}.{low} }}\n"
        )
    };
    (0..count).map(site).collect()
}

/// `check-config` in this house with at most 1 GB of memory: its CPU time in seconds, and what it said.
pub(crate) fn checked(house: &House, file: &str) -> (f64, std::process::Output) {
    let script = "ulimit -v 1000000; \"$0\" check-config -c \"$1\"; code=$?; read -r line </proc/$$/stat; echo \"$line\"; exit $code";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_vpnprobe"), file])
        .current_dir(house.path("."))
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    // Fields 16 and 17: what the children took, in hundredths of a second (proc(5)).
    let fields = stdout.lines().last().and_then(|line| line.rsplit_once(") ")).unwrap().1.split(' ');
    let ticks: Vec<f64> = fields.skip(13).take(2).map(|field| field.parse().unwrap()).collect();
    (ticks.iter().sum::<f64>() / 100.0, output)
}

#[test]
fn ten_megabytes_of_sites_take_their_share_of_time_and_a_fault_in_the_last_is_found() {
    let house = House::with_sites(&many_sites(8_600));
    let (part, output) = checked(&house, "config.yml");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let ten_times =
        many_sites(86_000).replace("external_required: false, ", "external_required: false, realm: everybody, ");
    house.configure(&ten_times);
    let (whole, output) = checked(&house, "config.yml");
    assert!(String::from_utf8_lossy(&output.stdout).contains("no faults, 86000 sites"), "{output:?}");
    assert!(fs::metadata(house.path("config.yml")).unwrap().len() > 10_000_000);
    // In proportion it would be 10, each with each 100.
    assert!(whole < part.max(0.1) * 25.0, "8,600 sites take {part} s, 86,000 take {whole} s");

    house.configure(&(many_sites(8_600) + "  last: { client: missing, timeout: never }\n"));
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    let line = 1 + config.lines().position(|line| line.starts_with("  last:")).unwrap();
    let (_, output) = checked(&house, "config.yml");
    assert_eq!(output.status.code(), Some(2));
    let (fault, stderr) =
        (format!("config.yml:{line}:37: sites.last.timeout: `never`"), String::from_utf8_lossy(&output.stderr));
    assert!(stderr.contains(&fault), "not said: {fault}: {stderr}");
}

#[test]
fn a_huge_configuration_is_read_or_refused_with_the_limit_and_never_exhausts_the_host() {
    let house = House::with_sites("  fine: { client: good }");
    let good = fs::read_to_string(house.path("config.yml")).unwrap();
    let line = |n: u32| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
    let bomb = (1..12).map(line).collect::<Vec<_>>().concat();
    let line = |n: u32| format!("m{n}: &m{n} {{ <<: [*m{0}, *m{0}, *m{0}], k{n}: 1 }}\n", n - 1);
    let merges = (1..40).map(line).collect::<Vec<_>>().concat();
    for (case, file, text, fault) in [
        ("10 MB of comments", "a.yml", good.clone() + &format!("# {}\n", "x".repeat(98)).repeat(100_000), None),
        (
            "a name of 10 MB",
            "b.yml",
            good.replace("prober: here", &format!("prober: {}", "x".repeat(10_000_000))),
            None,
        ),
        (
            "10 MB of what is no key",
            "c.yml",
            good.clone() + &"unknown: &x [1, 2]\n".repeat(2) + &"x".repeat(10_000_000),
            Some("not valid YAML"),
        ),
        ("an alias bomb", "d.yml", format!("a0: &a0 [x, x, x, x]\n{bomb}"), Some("by aliases")),
        ("a bomb of merges", "e.yml", format!("m0: &m0 {{ a: 1 }}\n{merges}"), Some("by aliases")),
        ("brackets without end", "f.yml", "[".repeat(5_000_000), Some("20 levels")),
        ("blocks in blocks", "g.yml", (0..4000).map(|n| " ".repeat(n) + "a:\n").collect(), Some("20 levels")),
        ("dashes without end", "h.yml", "- ".repeat(5_000_000), Some("20 levels")),
        ("deep JSON", "i.json", "{\"a\":".repeat(1_000_000) + "1" + &"}".repeat(1_000_000), Some("20 levels")),
        ("larger than any file", "j.yml", "#\n".repeat(33 << 20), Some("is larger than 64 MiB")),
    ] {
        house.write(file, &text);
        let (took, output) = checked(&house, file);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(if fault.is_some() { 2 } else { 0 }), "{case}: {stderr:.300}");
        assert!(stderr.contains(fault.unwrap_or_default()), "{case}: {stderr:.300}");
        // A build for debugging, on a slow machine.
        assert!(took < 60.0, "{case}: {took} s");
    }
}

#[test]
fn a_configuration_that_is_no_file_is_said_at_once() {
    let house = House::empty();
    nix::unistd::mkfifo(&house.path("pipe.yml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::create_dir(house.path("dir.yml")).unwrap();
    for (file, words) in [("pipe.yml", "is not a file"), ("dir.yml", "is a directory"), ("/dev/zero", "is not a file")]
    {
        let (_, output) = checked(&house, file);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{file}: {output:?}");
    }
}
