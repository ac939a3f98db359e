// Package pins has every version that the project takes from outside, from one file.
package pins

import (
	_ "embed"
	"fmt"
	"sync"

	"sigs.k8s.io/yaml"
)

//go:embed pins.yaml
var file []byte

// Pins is pins.yaml.
type Pins struct {
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

	Minikube string `json:"minikube"`
	CRITools string `json:"criTools"`

	Buildx  string `json:"buildx"`
	Compose string `json:"compose"`

	Moby          string `json:"moby"`
	DockerCommand string `json:"dockerCommand"`

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

// Load reads the embedded file. A mistake in it is a mistake in the program, and the tests find it.
var Load = sync.OnceValue(func() *Pins {
	p, err := parse(file)
	if err != nil {
		panic(err)
	}
	return p
})

func parse(raw []byte) (*Pins, error) {
	p := &Pins{}
	if err := yaml.UnmarshalStrict(raw, p); err != nil {
		return nil, fmt.Errorf("pins.yaml: %w", err)
	}
	return p, nil
}
