package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/release"

	"todo.local/magefiles/internal/fault"
)

// load reads a chart and checks the values against its schema.
func load(dir string, values map[string]any) (*chart.Chart, error) {
	c, err := steady(dir, loader.LoadDir)
	if err != nil {
		return nil, err
	}
	merged, err := chartutil.CoalesceValues(c, values)
	if err != nil {
		return nil, fault.Wrap(err, fault.CodeInput, "the values do not fit the chart "+c.Name(), "see "+dir+"/values.yaml")
	}
	if err := chartutil.ValidateAgainstSchema(c, merged); err != nil {
		return nil, fault.New(fault.CodeInput, schemaError(c.Name(), err.Error()), "see "+dir+"/values.yaml for what is allowed")
	}
	return c, nil
}

// readings is how often a chart is read that changes meanwhile.
const readings = 5

// steady reads a chart as it is at one moment: files that were saved while others were read are read again with them.
func steady(dir string, read func(string) (*chart.Chart, error)) (*chart.Chart, error) {
	for try := 1; ; try++ {
		c, err := read(dir)
		moving := errors.Is(err, fs.ErrNotExist) || c != nil && changed(dir, c.Raw)
		switch {
		case moving && try < readings:
			continue
		case err != nil:
			return nil, fault.Wrap(err, fault.CodeInput, "the chart in "+dir+" cannot be read", "correct the chart; check it with: go tool mage chart:lint")
		case moving:
			return nil, fault.New(fault.CodeInput, "the chart in "+dir+" keeps changing while it is read", "run the target again once nothing writes to it")
		}
		return c, nil
	}
}

// changed tells whether files are no longer what was read of them.
func changed(dir string, files []*chart.File) bool {
	return slices.ContainsFunc(files, func(f *chart.File) bool {
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Name)))
		return err != nil || !bytes.Equal(bytes.TrimPrefix(raw, []byte("\ufeff")), f.Data) // Helm leaves a byte order mark out
	})
}

// fingerprint is the same for the same chart files and values, and fits into a label.
func fingerprint(c *chart.Chart, values map[string]any) (string, error) {
	h := sha256.New()
	files := slices.Clone(c.Raw)
	slices.SortFunc(files, func(a, b *chart.File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range files {
		_, _ = fmt.Fprintf(h, "%q %d\n", f.Name, len(f.Data))
		h.Write(f.Data)
	}
	if err := json.NewEncoder(h).Encode(values); err != nil { // sorts keys
		return "", fmt.Errorf("values of chart %s: %w", c.Name(), err)
	}
	return hex.EncodeToString(h.Sum(nil))[:40], nil
}

// violation is one line of the validator's text: indented by how specific it is.
var violation = regexp.MustCompile(`(?m)^( *)- at '([^']*)': (.+)$`)

// unknownNames is what the validator says of properties that the schema does not know.
var unknownNames = regexp.MustCompile(`^additional properties (.+) not allowed$`)

// schemaError puts a validator's answer into one line that is the same every time: the first violation by the name that
// values.yaml uses, and how many more there are. Of nested violations the most specific one is told.
func schemaError(chartName, text string) string {
	found := violation.FindAllStringSubmatch(text, -1)
	if len(found) == 0 {
		return fmt.Sprintf("values of chart %s: %s", chartName, short(text))
	}
	var specific [][]string // of each violation on the top level
	for _, f := range found {
		switch last := len(specific) - 1; {
		case f[1] == found[0][1]:
			specific = append(specific, f)
		case len(f[1]) > len(specific[last][1]):
			specific[last] = f
		}
	}
	var told []string
	for _, f := range specific {
		path, what := strings.ReplaceAll(strings.Trim(f[2], "/"), "/", "."), f[3]
		if m := unknownNames.FindStringSubmatch(what); m != nil {
			what = "unknown: " + strings.ReplaceAll(m[1], "'", "")
		}
		if path != "" {
			what = path + ": " + what
		}
		told = append(told, what)
	}
	slices.Sort(told)
	line := fmt.Sprintf("values of chart %s: %s", chartName, told[0])
	if len(told) > 1 {
		line += fmt.Sprintf(" (and %d more)", len(told)-1)
	}
	return line
}

// rendersFor is the Kubernetes version that Render assumes. Helm's own assumption is older than what the charts need.
var rendersFor = chartutil.KubeVersion{Version: "v1.37.0", Major: "1", Minor: "37"}

// Render gives the manifests that a release of the chart would consist of, as a YAML stream, without asking a cluster.
// Hooks are part of it.
func Render(name, namespace, dir string, values map[string]any) (string, error) {
	c, err := load(dir, values)
	if err != nil {
		return "", err
	}
	r, err := template(c, name, namespace, values)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString(r.Manifest)
	for _, h := range r.Hooks {
		fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", h.Path, h.Manifest)
	}
	return out.String(), nil
}

// template gives the release that installing the chart would make.
func template(c *chart.Chart, name, namespace string, values map[string]any) (*release.Release, error) {
	in := action.NewInstall(new(action.Configuration))
	in.ReleaseName, in.Namespace = name, namespace
	in.ClientOnly, in.DryRun = true, true
	in.KubeVersion = &rendersFor
	r, err := in.Run(c, values)
	if err != nil {
		return nil, explain(name, err)
	}
	return r, nil
}

// Lint checks a chart as `helm lint --strict` does. Each finding is one line; none means a clean chart.
func Lint(dir string, values map[string]any) []string {
	lint := action.NewLint()
	lint.Strict = true
	result := lint.Run([]string{dir}, values)
	var findings []string
	for _, m := range result.Messages {
		if m.Severity > support.InfoSev {
			findings = append(findings, fmt.Sprintf("%s: %v", m.Path, m.Err))
		}
	}
	if len(findings) == 0 {
		for _, err := range result.Errors {
			findings = append(findings, err.Error())
		}
	}
	return findings
}
