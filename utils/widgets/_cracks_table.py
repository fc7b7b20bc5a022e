"""Results of a simulation study: 2,000 trials a line, seed 1010; written by utils.widgets._cracks_study."""

# ruff: noqa: E501
TABLE = """\
settings,covered,hospitals,highest,patients,noisy,calm,new_hospitals,new_above,width,patient_width,new_hospital_width
hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.05,94.29,86.9,94.93,94.88,95.01,95.49,2.19,5.45,48.22,27.41
hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.5,94.79,86.35,95.0,94.88,95.07,94.95,2.58,3.85,48.1,25.25
hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.65,94.82,85.15,94.92,95.06,94.89,95.07,2.54,3.14,48.09,24.71
hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.25,94.88,84.15,94.97,94.97,95.14,94.9,2.53,2.72,48.05,24.3
error_df=10 error_law=student_t hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.1,94.32,87.25,94.56,94.32,94.75,95.57,2.17,5.45,48.2,27.44
error_df=10 error_law=student_t hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.9,94.78,86.05,94.71,94.63,95.03,94.94,2.58,3.85,48.1,25.26
error_df=10 error_law=student_t hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.35,94.76,84.5,94.68,94.71,94.74,95.09,2.52,3.14,48.09,24.7
error_df=10 error_law=student_t hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.7,94.86,84.3,94.71,94.69,94.9,94.87,2.55,2.72,48.06,24.3
error_df=5 error_law=student_t hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.2,94.28,87.45,94.56,94.58,94.75,95.5,2.16,5.44,48.14,27.39
error_df=5 error_law=student_t hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.95,94.74,86.65,94.81,94.74,94.72,94.98,2.57,3.84,48.01,25.25
error_df=5 error_law=student_t hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.95,94.81,85.5,94.71,94.68,94.66,95.11,2.5,3.14,48.09,24.72
error_df=5 error_law=student_t hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.3,94.84,85.4,94.69,94.6,94.94,94.95,2.51,2.72,48.02,24.31
error_df=3 error_law=student_t hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.4,94.13,86.75,95.2,95.16,95.37,95.49,2.24,5.34,47.25,27.53
error_df=3 error_law=student_t hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.2,94.46,86.4,95.4,95.4,95.26,94.9,2.6,3.79,47.38,25.3
error_df=3 error_law=student_t hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,95.4,94.61,85.8,95.44,95.37,95.36,95.09,2.56,3.1,47.44,24.71
error_df=3 error_law=student_t hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,95.2,94.69,85.75,95.48,95.53,95.48,94.92,2.54,2.67,47.28,24.29
error_law=outliers hospital_sd=6.0 n_hospitals=15 outlier_scale=3.0 outlier_share=0.05 patient_sd=14.198591479439077 patients_per_hospital=20,94.95,94.14,84.7,95.56,95.37,95.54,95.97,1.96,6.43,56.85,28.1
error_law=outliers hospital_sd=6.0 n_hospitals=30 outlier_scale=3.0 outlier_share=0.05 patient_sd=14.198591479439077 patients_per_hospital=20,95.2,94.49,82.8,95.72,95.8,95.63,94.98,2.57,4.54,56.76,25.48
error_law=outliers hospital_sd=6.0 n_hospitals=45 outlier_scale=3.0 outlier_share=0.05 patient_sd=14.198591479439077 patients_per_hospital=20,94.5,94.5,82.2,95.76,95.76,95.67,95.06,2.51,3.71,56.76,24.84
error_law=outliers hospital_sd=6.0 n_hospitals=60 outlier_scale=3.0 outlier_share=0.05 patient_sd=14.198591479439077 patients_per_hospital=20,94.55,94.72,81.4,95.73,95.64,95.88,94.95,2.51,3.21,56.77,24.42
error_law=outliers hospital_sd=6.0 n_hospitals=15 outlier_scale=5.0 outlier_share=0.05 patient_sd=17.798876369029593 patients_per_hospital=20,95.5,93.91,83.9,96.47,96.23,96.53,96.69,1.63,8.02,70.73,30.18
error_law=outliers hospital_sd=6.0 n_hospitals=30 outlier_scale=5.0 outlier_share=0.05 patient_sd=17.798876369029593 patients_per_hospital=20,95.0,94.0,78.7,96.64,96.71,96.6,95.36,2.38,5.68,70.78,26.08
error_law=outliers hospital_sd=6.0 n_hospitals=45 outlier_scale=5.0 outlier_share=0.05 patient_sd=17.798876369029593 patients_per_hospital=20,94.7,94.25,78.0,96.76,96.72,96.73,95.19,2.46,4.64,70.85,25.17
error_law=outliers hospital_sd=6.0 n_hospitals=60 outlier_scale=5.0 outlier_share=0.05 patient_sd=17.798876369029593 patients_per_hospital=20,94.8,94.43,77.65,96.71,96.64,96.77,95.03,2.46,4.03,70.93,24.67
error_law=outliers hospital_sd=6.0 n_hospitals=15 outlier_scale=8.0 outlier_share=0.05 patient_sd=24.445858544956035 patients_per_hospital=20,95.85,93.61,84.25,96.82,96.56,96.92,96.42,1.75,10.94,96.1,37.01
error_law=outliers hospital_sd=6.0 n_hospitals=30 outlier_scale=8.0 outlier_share=0.05 patient_sd=24.445858544956035 patients_per_hospital=20,95.35,94.26,76.75,96.83,96.88,96.75,96.66,1.7,7.77,96.49,29.14
error_law=outliers hospital_sd=6.0 n_hospitals=45 outlier_scale=8.0 outlier_share=0.05 patient_sd=24.445858544956035 patients_per_hospital=20,94.7,94.2,71.2,96.93,96.9,96.95,96.04,2.04,6.36,96.69,26.63
error_law=outliers hospital_sd=6.0 n_hospitals=60 outlier_scale=8.0 outlier_share=0.05 patient_sd=24.445858544956035 patients_per_hospital=20,94.8,94.27,69.6,96.88,96.86,96.94,95.41,2.27,5.52,96.91,25.54
error_law=differs by hospital error_spread=0.25 hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.25,94.12,87.0,94.54,86.0,99.45,95.49,2.19,5.44,48.15,27.42
error_law=differs by hospital error_spread=0.25 hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.25,94.49,86.45,94.59,86.13,99.5,94.96,2.56,3.84,48.01,25.25
error_law=differs by hospital error_spread=0.25 hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.75,94.43,85.05,94.45,85.54,99.54,95.11,2.51,3.14,48.02,24.71
error_law=differs by hospital error_spread=0.25 hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.5,94.52,84.85,94.52,85.69,99.48,94.88,2.54,2.71,47.97,24.31
error_law=differs by hospital error_spread=0.5 hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.0,94.02,88.6,93.93,78.76,99.98,95.54,2.17,5.38,47.64,27.45
error_law=differs by hospital error_spread=0.5 hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.35,94.28,88.0,94.21,79.29,99.98,94.95,2.56,3.81,47.71,25.25
error_law=differs by hospital error_spread=0.5 hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.3,94.36,86.7,94.08,78.46,99.99,95.12,2.49,3.13,47.87,24.72
error_law=differs by hospital error_spread=0.5 hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.4,94.37,86.7,94.18,78.6,99.99,94.85,2.55,2.7,47.82,24.31
error_law=differs by hospital error_spread=0.75 hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.25,93.99,90.2,93.74,74.62,100.0,95.61,2.12,5.22,46.14,27.74
error_law=differs by hospital error_spread=0.75 hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.45,94.38,89.4,94.3,76.2,100.0,94.88,2.6,3.74,46.82,25.28
error_law=differs by hospital error_spread=0.75 hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.9,94.57,89.05,94.29,75.62,100.0,95.05,2.53,3.09,47.38,24.74
error_law=differs by hospital error_spread=0.75 hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.35,94.64,88.95,94.41,75.87,100.0,94.8,2.58,2.68,47.39,24.31
error_law=grows with mean error_spread=0.25 hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,94.8,94.08,81.1,94.56,88.13,98.78,95.28,2.39,5.09,45.07,27.2
error_law=grows with mean error_spread=0.25 hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.7,94.64,79.45,94.71,88.23,98.8,94.87,2.64,3.59,44.98,25.17
error_law=grows with mean error_spread=0.25 hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.4,94.75,77.95,94.7,88.16,98.88,95.08,2.55,2.93,44.97,24.67
error_law=grows with mean error_spread=0.25 hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.75,94.73,76.9,94.72,88.36,98.89,94.87,2.56,2.54,44.93,24.27
error_law=grows with mean error_spread=0.5 hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,94.85,93.7,73.7,94.09,81.89,99.83,95.13,2.59,5.06,44.82,27.16
error_law=grows with mean error_spread=0.5 hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.45,94.39,71.15,94.26,81.98,99.88,94.75,2.76,3.58,44.76,25.14
error_law=grows with mean error_spread=0.5 hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.6,94.57,69.8,94.27,81.85,99.9,95.01,2.62,2.92,44.78,24.66
error_law=grows with mean error_spread=0.5 hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.9,94.6,67.2,94.27,81.98,99.9,94.81,2.6,2.53,44.73,24.26
error_law=grows with mean error_spread=0.75 hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,94.85,93.3,66.35,93.81,77.19,99.99,95.03,2.75,5.34,47.26,27.27
error_law=grows with mean error_spread=0.75 hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.4,94.06,62.3,93.97,77.3,100.0,94.6,2.91,3.78,47.24,25.17
error_law=grows with mean error_spread=0.75 hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.5,94.33,60.45,94.03,77.32,100.0,94.92,2.72,3.09,47.35,24.69
error_law=grows with mean error_spread=0.75 hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,95.05,94.44,57.4,94.06,77.53,100.0,94.73,2.69,2.67,47.29,24.26
error_law=grows with mean error_spread=0.25 hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,91.15,93.45,81.85,93.45,86.49,98.42,94.95,2.56,5.77,42.63,27.25
hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,95.25,94.6,88.75,95.0,94.88,95.11,95.29,2.27,6.54,48.31,27.6
error_law=grows with mean error_spread=0.25 hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,92.2,94.35,81.55,93.52,86.45,98.34,94.81,2.69,4.07,42.51,25.23
hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,94.8,94.75,87.75,95.02,94.7,95.1,94.94,2.6,4.61,48.14,25.41
error_law=grows with mean error_spread=0.25 hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,91.75,94.37,78.9,93.45,86.24,98.34,94.99,2.56,3.32,42.47,24.72
hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,94.7,94.73,85.95,94.94,94.91,95.16,95.05,2.52,3.76,48.1,24.83
error_law=grows with mean error_spread=0.25 hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,92.25,94.56,78.4,93.44,86.34,98.37,94.81,2.58,2.88,42.44,24.31
hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,94.8,94.86,85.6,94.96,94.85,95.12,94.87,2.52,3.26,48.06,24.39
error_law=grows with mean error_spread=0.5 hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,86.85,92.22,74.7,91.89,77.58,99.69,94.71,2.76,5.4,39.93,27.09
error_law=grows with mean error_spread=0.5 hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,89.55,93.59,71.2,91.97,77.23,99.69,94.66,2.8,3.82,39.86,25.14
error_law=grows with mean error_spread=0.5 hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,88.1,93.9,69.7,91.89,76.68,99.74,94.9,2.65,3.11,39.84,24.67
error_law=grows with mean error_spread=0.5 hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,88.9,94.15,67.75,91.87,76.87,99.7,94.76,2.63,2.7,39.81,24.26
error_law=grows with mean error_spread=0.75 hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,83.65,90.84,67.4,90.86,70.44,99.95,94.37,3.01,5.37,39.73,27.05
error_law=grows with mean error_spread=0.75 hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,86.5,93.03,63.15,91.04,70.1,99.96,94.54,2.94,3.8,39.72,25.11
error_law=grows with mean error_spread=0.75 hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,84.4,93.48,60.4,91.02,69.63,99.98,94.81,2.74,3.11,39.75,24.66
error_law=grows with mean error_spread=0.75 hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20 treated_share=0.75,85.8,93.86,57.9,91.0,69.76,99.98,94.67,2.71,2.69,39.73,24.24
hospital_law=skewed hospital_sd=3.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.05,93.24,70.4,94.84,94.71,95.05,94.37,3.83,5.45,47.82,18.29
hospital_sd=3.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.05,93.73,82.15,94.85,94.72,95.09,96.61,1.58,5.45,47.87,18.19
hospital_law=skewed hospital_sd=3.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.5,94.67,54.65,94.96,94.8,94.98,95.35,4.21,3.85,47.73,14.58
hospital_sd=3.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.5,94.47,74.8,94.99,94.88,95.01,96.6,1.74,3.85,47.76,14.29
hospital_law=skewed hospital_sd=3.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.65,94.85,43.9,94.93,95.03,94.92,95.14,4.72,3.14,47.73,13.34
hospital_sd=3.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.65,94.49,70.6,94.94,95.01,94.94,95.91,2.04,3.14,47.76,13.26
hospital_law=skewed hospital_sd=3.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.25,94.79,36.0,94.97,94.92,95.13,94.98,5.0,2.72,47.7,12.67
hospital_sd=3.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.25,94.46,67.4,94.96,94.92,95.15,95.36,2.29,2.72,47.72,12.71
hospital_law=skewed hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.05,94.41,79.8,94.93,94.9,95.08,94.54,5.37,5.45,48.18,27.02
hospital_law=skewed hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.5,94.7,72.4,95.0,94.88,95.02,94.17,5.83,3.85,48.07,24.66
hospital_law=skewed hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.65,94.68,69.65,94.95,95.06,94.95,94.37,5.63,3.14,48.07,24.32
hospital_law=skewed hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.25,94.86,66.75,94.97,94.92,95.15,94.43,5.57,2.72,48.03,23.96
hospital_law=skewed hospital_sd=12.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.05,94.92,89.55,94.95,94.93,95.02,93.73,6.26,5.45,48.36,51.35
hospital_sd=12.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.05,95.0,92.45,94.96,94.98,95.08,95.09,2.43,5.45,48.37,52.94
hospital_law=skewed hospital_sd=12.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.5,94.94,88.3,95.01,94.92,95.07,94.03,5.97,3.85,48.23,48.39
hospital_sd=12.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.5,94.98,92.15,95.01,94.92,95.05,94.88,2.61,3.85,48.24,49.69
hospital_law=skewed hospital_sd=12.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.65,94.94,86.75,94.9,95.06,94.85,94.3,5.7,3.14,48.22,48.04
hospital_sd=12.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.65,94.91,91.55,94.92,95.08,94.86,95.05,2.55,3.14,48.23,48.86
hospital_law=skewed hospital_sd=12.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.25,95.02,86.5,94.97,94.92,95.21,94.37,5.63,2.72,48.18,47.52
hospital_sd=12.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.25,95.0,91.75,94.96,94.91,95.22,94.88,2.55,2.72,48.19,48.21
hospital_law=bimodal hospital_sd=3.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.05,94.13,86.55,94.85,94.7,95.08,97.97,0.97,5.45,47.88,18.12
hospital_law=bimodal hospital_sd=3.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.5,95.01,83.6,94.97,94.83,94.98,99.13,0.45,3.85,47.77,14.21
hospital_law=bimodal hospital_sd=3.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.65,94.92,81.9,94.95,95.04,94.88,98.85,0.54,3.14,47.76,13.21
hospital_law=bimodal hospital_sd=3.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.25,94.9,81.05,94.95,94.91,95.12,98.61,0.65,2.72,47.72,12.73
hospital_law=bimodal hospital_sd=6.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.05,94.41,89.75,94.93,94.85,95.07,98.37,0.76,5.45,48.23,27.54
hospital_law=bimodal hospital_sd=6.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.5,94.86,90.2,95.02,94.89,95.05,98.72,0.68,3.85,48.11,25.41
hospital_law=bimodal hospital_sd=6.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.65,94.83,89.35,94.93,95.09,94.86,98.9,0.53,3.14,48.09,24.79
hospital_law=bimodal hospital_sd=6.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.25,94.93,89.85,94.97,94.96,95.15,98.88,0.54,2.72,48.05,24.38
hospital_law=bimodal hospital_sd=12.0 n_hospitals=15 patient_sd=12.0 patients_per_hospital=20,95.05,94.93,93.25,94.96,94.94,95.08,98.45,0.74,5.45,48.38,53.36
hospital_law=bimodal hospital_sd=12.0 n_hospitals=30 patient_sd=12.0 patients_per_hospital=20,95.5,95.05,93.5,95.0,94.9,95.03,98.86,0.59,3.85,48.24,50.01
hospital_law=bimodal hospital_sd=12.0 n_hospitals=45 patient_sd=12.0 patients_per_hospital=20,94.65,94.91,92.8,94.93,95.1,94.88,99.02,0.48,3.14,48.23,49.0
hospital_law=bimodal hospital_sd=12.0 n_hospitals=60 patient_sd=12.0 patients_per_hospital=20,94.25,94.97,93.15,94.97,94.93,95.21,98.98,0.5,2.72,48.19,48.38
hospital_sd=6.0 n_hospitals=15 n_noise_hospital_predictors=3 patient_sd=12.0 patients_per_hospital=20,95.05,94.39,89.7,94.89,94.88,95.06,95.5,2.08,5.45,48.26,32.39
hospital_sd=6.0 n_hospitals=30 n_noise_hospital_predictors=3 patient_sd=12.0 patients_per_hospital=20,95.5,94.8,87.7,94.99,94.86,95.05,95.13,2.46,3.85,48.12,27.03
hospital_sd=6.0 n_hospitals=45 n_noise_hospital_predictors=3 patient_sd=12.0 patients_per_hospital=20,94.65,94.76,86.3,94.93,95.08,94.87,95.14,2.47,3.14,48.1,25.84
hospital_sd=6.0 n_hospitals=60 n_noise_hospital_predictors=3 patient_sd=12.0 patients_per_hospital=20,94.25,94.91,85.9,94.97,94.94,95.16,94.89,2.56,2.72,48.06,25.09
hospital_sd=6.0 n_hospitals=15 n_noise_hospital_predictors=6 patient_sd=12.0 patients_per_hospital=20,95.05,94.4,91.6,94.95,94.93,95.14,95.79,2.03,5.45,48.3,40.59
hospital_sd=6.0 n_hospitals=30 n_noise_hospital_predictors=6 patient_sd=12.0 patients_per_hospital=20,95.5,94.81,89.75,95.01,94.92,95.04,95.09,2.46,3.85,48.14,29.18
hospital_sd=6.0 n_hospitals=45 n_noise_hospital_predictors=6 patient_sd=12.0 patients_per_hospital=20,94.65,94.77,87.25,94.93,95.09,94.87,95.17,2.43,3.14,48.11,27.05
hospital_sd=6.0 n_hospitals=60 n_noise_hospital_predictors=6 patient_sd=12.0 patients_per_hospital=20,94.25,94.91,86.6,94.97,94.95,95.16,94.94,2.55,2.72,48.07,25.97
hospital_sd=6.0 n_hospitals=15 n_noise_hospital_predictors=10 patient_sd=12.0 patients_per_hospital=20,95.05,94.43,92.75,94.92,94.98,95.07,95.5,2.26,5.45,48.34,70.78
hospital_sd=6.0 n_hospitals=30 n_noise_hospital_predictors=10 patient_sd=12.0 patients_per_hospital=20,95.5,94.73,91.2,94.99,94.87,95.0,95.08,2.48,3.85,48.16,32.89
hospital_sd=6.0 n_hospitals=45 n_noise_hospital_predictors=10 patient_sd=12.0 patients_per_hospital=20,94.65,94.71,88.6,94.92,95.06,94.87,95.1,2.41,3.14,48.13,28.95
hospital_sd=6.0 n_hospitals=60 n_noise_hospital_predictors=10 patient_sd=12.0 patients_per_hospital=20,94.25,94.89,88.15,94.98,94.95,95.18,95.0,2.54,2.72,48.08,27.26
"""
