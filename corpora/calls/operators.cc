#include <new>
#include <string>
#include <vector>
#include <map>
#include <cstdio>
struct alignas(128) Big { char c[300]; };
int main() {
  std::map<int,std::string> m;
  for (int i = 0; i < 40; i++) m[i] = std::string(i * 3 + 1, 'x');
  std::vector<int*> v;
  for (int i = 0; i < 20; i++) v.push_back(new int[i + 1]);
  for (auto p : v) delete[] p;
  Big *b = new Big; delete b;
  int *q = new (std::nothrow) int(3); delete q;
  return 0;
}
