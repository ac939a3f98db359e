package release

import "regexp"

// imageLine is how a manifest names a container's image.
var imageLine = regexp.MustCompile(`(?m)^\s*(?:- )?image: "?([^"\s]+)"?\s*$`)

// Images gives every image that the kept revisions of a release name, in all namespaces where the engine is of none:
// what a rollback may need.
func (e *Engine) Images(name string) ([]string, error) {
	all, err := e.revisions(name)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, r := range all {
		texts := []string{r.Manifest}
		for _, h := range r.Hooks {
			texts = append(texts, h.Manifest)
		}
		for _, text := range texts {
			for _, m := range imageLine.FindAllStringSubmatch(text, -1) {
				found = append(found, m[1])
			}
		}
	}
	return found, nil
}
