// Eigen: dense algebra of dynamic size, whose temporaries are malloc'd.
#include <Eigen/Dense>
#include <iostream>

int main() {
  for (int n = 1; n < 24; ++n) {
    Eigen::MatrixXd a(n, n);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        a(i, j) = 1.0 / (1 + i + 2 * j) + (i == j ? n : 0);
      }
    }
    Eigen::VectorXd b = Eigen::VectorXd::LinSpaced(n, 0, 1);
    Eigen::VectorXd x = a.partialPivLu().solve(b);
    Eigen::MatrixXd c = (a * a.transpose() + 2 * a).eval();
    std::cout << (a * x - b).norm() << " " << c.trace() << " " << c.llt().solve(b).sum() << "\n";
  }
}
