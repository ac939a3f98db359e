package source

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"runtime"
	"sync"

	"sigs.k8s.io/yaml"
)

//go:embed pins.yaml
var pinsFile []byte

// pins is pins.yaml.
type pins struct {
	Kubernetes    string `json:"kubernetes"`
	Kind          string `json:"kind"`
	Etcd          string `json:"etcd"`
	CoreDNS       string `json:"coredns"`
	Containerd    string `json:"containerd"`
	Runc          string `json:"runc"`
	CNI           string `json:"cni"`
	Traefik       string `json:"traefik"`
	MetricsServer string `json:"metricsServer"`
	LocalPath     string `json:"localPath"`

	Debian struct {
		Suite    string `json:"suite"`
		Packages string `json:"packages"`
	} `json:"debian"`
	Node struct {
		Version string            `json:"version"`
		Wheel   string            `json:"wheel"`
		SHA256  map[string]string `json:"sha256"` // by GOARCH
	} `json:"node"`
	Registry struct {
		Python        string `json:"python"`
		Node          string `json:"node"`
		Postgres      string `json:"postgres"`
		Traefik       string `json:"traefik"`
		MetricsServer string `json:"metricsServer"`
	} `json:"registry"`
}

// loadPins reads the embedded file. A mistake in it is a mistake in the program, and the tests find it.
var loadPins = sync.OnceValue(func() *pins {
	p, err := parsePins(pinsFile)
	if err != nil {
		panic(err)
	}
	return p
})

func parsePins(raw []byte) (*pins, error) {
	p := &pins{}
	if err := yaml.UnmarshalStrict(raw, p); err != nil {
		return nil, fmt.Errorf("pins.yaml: %w", err)
	}
	return p, nil
}

// arch is the architecture that everything is built for: this machine's, since the node runs on it.
const arch = runtime.GOARCH

// hash gives the key of something made from the given inputs. Twelve hexadecimal digits are enough to tell versions apart and short enough
// to read.
func hash(inputs ...any) string {
	h := sha256.New()
	for _, in := range inputs {
		s := fmt.Sprint(in)
		fmt.Fprintf(h, "%d:%s\n", len(s), s) // the length keeps neighbours from running together
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
