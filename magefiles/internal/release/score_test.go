package release_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/release"
)

// accepted are findings of kube-score's that the charts leave as they are.
var accepted = []struct{ finding, why string }{
	{`container-image-pull-policy: `,
		"an image is named by its content, and what was loaded into a node is in no registry that could be asked"},
	{`^todo-app/(external-database|existing-secret|specification|development|everything|bare|gateway) .* container-image-tag: `,
		"the plan names the images of the application latest; what deploys sets other names, as the case mage does"},
	{`^todo-app/(external-database|existing-secret|mage|specification|development|bare) .* pod-networkpolicy: `,
		"networkPolicy.enabled turns them on, as the case everything does; many clusters do not enforce any"},
	{`^(ingress|metrics-server)/.* pod-networkpolicy: `,
		"whoever may reach a node may ask its ingress; the API server asks the metrics from an address of a node, which no policy can name"},
	{`^todo-app/(bare|development) .* deployment-has-poddisruptionbudget: `,
		"the case turns it off"},
	{`^todo-app/development .* deployment-replicas: `,
		"one of each is enough on a laptop"},
	{`^todo-app/bare .* deployment-has-host-podantiaffinity: `,
		"the case turns it off"},
	{`^(todo-app/.*/frontend|ingress/.*/traefik) pod-probes-identical: `,
		"there is nothing behind the process that only readiness should ask for; liveness asks half as often, so that the pod is out of the service first"},
	{`^todo-app/further-services .*/reports-svc service-type: `,
		"the case asks for one"},
	{`^todo-app/.*/postgres container-security-context-user-group-id: `,
		"the number is that of the image's account, to which the data on the volume belongs"},
	{`^(ingress|metrics-server)/.* container-resources: CPU limit is not set$`,
		"a limit would slow down every request of a busy moment; what is requested is guaranteed"},
	{`^metrics-server/.* deployment-replicas: `,
		"the chart is for clusters of one node, and nobody misses figures for the seconds of a restart"},
}

// score gives what kube-score finds in rendered manifests, each as "object check: what".
func score(t *testing.T, rendered string) []string {
	t.Helper()
	// In a module of its own: it needs Kubernetes libraries that are older than this one's.
	cmd := exec.CommandContext(t.Context(), "go", "-C", filepath.Join("..", "..", "..", "tools", "kube-score"), "tool", "kube-score",
		"score", "--kubernetes-version", "v1.37", "--output-format", "json", "-")
	cmd.Stdin = strings.NewReader(rendered)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if failed := new(exec.ExitError); err != nil {
		require.True(t, errors.As(err, &failed) && failed.ExitCode() == 1, "%v: %s", err, &stderr) // 1: there are critical findings
	}
	var objects []struct {
		Name   string `json:"object_name"`
		Checks []struct {
			Check    struct{ ID string }
			Grade    int // 1 critical, 5 warning, 7 nearly good, 10 good
			Skipped  bool
			Comments []struct{ Summary string }
		}
	}
	require.NoError(t, json.Unmarshal(out, &objects), "%s%s", out, &stderr)
	require.NotEmpty(t, objects)
	var found []string
	for _, o := range objects {
		for _, c := range o.Checks {
			if c.Skipped || c.Grade >= 10 {
				continue
			}
			for _, comment := range c.Comments {
				found = append(found, o.Name+" "+c.Check.ID+": "+comment.Summary)
			}
		}
	}
	return found
}

func TestKubeScoreFindsNothingThatHasNoReason(t *testing.T) {
	used := make([]bool, len(accepted))
	for _, m := range matrix {
		rendered, err := release.Render(m.chart, "todo", filepath.Join(charts, m.chart), values(t, m.values))
		require.NoError(t, err)
		for _, finding := range score(t, rendered) {
			known := false
			for i, a := range accepted {
				if regexp.MustCompile(a.finding).MatchString(m.chart + "/" + m.name + " " + finding) {
					known, used[i] = true, true
				}
			}
			assert.True(t, known, "%s/%s: %s", m.chart, m.name, finding)
		}
	}
	for i, a := range accepted {
		assert.True(t, used[i], "not found any more: %s", a.finding)
	}
}
